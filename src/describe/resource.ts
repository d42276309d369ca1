import type { Resource } from '../config/resource.ts';
import { unsupportedProblems } from '../envoy/unsupported-problems.ts';
import { everyProxy } from '../mesh/proxies.ts';
import type { Mesh } from '../mesh/types.ts';
import { originAt } from './origin-at.ts';
import { problemsOf } from './policies.ts';
import { touchedBy } from './resource-by-kind.ts';
import type { ResourceDescription } from './types.ts';

/** What a resource touches, and what shadows it. */
export function describeResource(mesh: Mesh, resource: Resource): ResourceDescription {
  const touched = touchedBy(resource, { mesh, proxies: everyProxy(mesh) });
  return {
    version: 1,
    kind: 'resource',
    origin: originAt(resource),
    summary: '',
    state: touched === undefined ? 'ignored' : 'acts',
    shadows: touched === undefined ? [{ why: `nothing here acts on resources of kind ${resource.kind}` }] : [],
    workloads: [],
    services: [],
    routes: [],
    exposes: [],
    subsets: [],
    trafficPolicy: [],
    facts: [],
    ...touched,
    problems: problemsOf([resource], [...mesh.problems, ...unsupportedProblems(mesh)]),
  };
}
