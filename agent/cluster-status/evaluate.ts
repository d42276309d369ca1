/** What all statuses are to be, from what the agents say and what the mesh is. Pure. */
import { originOf, type Resource } from '../../src/config/resource.ts';
import { isNotTaken } from '../../src/config/source-object.ts';
import { unsupportedProblems } from '../../src/envoy/unsupported-problems.ts';
import type { Problem } from '../../src/errors.ts';
import { GATEWAY_API } from '../../src/mesh/gateway-api/objects.ts';
import { getOrMake } from '../../src/mesh/memo.ts';
import type { Mesh } from '../../src/mesh/types.ts';
import { concerned } from './concerned.ts';
import {
  type GatewayFacts,
  gatewaysByName,
  type WantedGateway,
  type WantedParent,
  wantedClass,
  wantedGateway,
  wantedParents,
} from './gateway-api-status.ts';
import { reconciled } from './istio-condition.ts';
import { groupOf, keyOf, type LiveObject, liveOrigin, type WantedCondition } from './live-object.ts';
import { problemOrigin } from './problem-origin.ts';
import type { Reports } from './reports.ts';
import { hasStatus, versionedOf } from './versioned.ts';

/** What an object's status is to be, in the form of its kind. */
export type WantedStatus =
  | { readonly form: 'istio'; readonly conditions: readonly WantedCondition[] }
  | { readonly form: 'gateway'; readonly status: WantedGateway }
  | { readonly form: 'route'; readonly parents: readonly WantedParent[] };

export interface EvaluationParts {
  readonly mesh: Mesh;
  /** What is wrong with objects, so that they are not taken as they are. */
  readonly problems: readonly Problem[];
  readonly reports: Reports;
}

/** Answers for objects as they are in the cluster; undefined: their status is not to be touched now. */
export type Evaluation = (live: LiveObject) => WantedStatus | undefined;

function byOrigin<T>(items: readonly T[], origin: (item: T) => string | undefined): ReadonlyMap<string, readonly T[]> {
  const found = new Map<string, T[]>();
  for (const item of items) {
    const name = origin(item);
    if (name !== undefined) getOrMake(found, name, (): T[] => []).push(item);
  }
  return found;
}

const textOf = ({ path, message }: { path?: string; message: string }): string => (path === undefined ? message : `${path}: ${message}`);

export function evaluation({ mesh, problems, reports }: EvaluationParts): Evaluation {
  const resources = new Map<string, Resource>();
  for (const resource of mesh.resources) {
    if (!hasStatus(resource) || versionedOf(resource) === undefined) continue;
    const { namespace, name } = resource.metadata;
    resources.set(keyOf({ group: resource.group, kind: resource.kind, namespace, name }), resource);
  }
  const proxiesOf = concerned(mesh, reports.proxies);
  const invalid = byOrigin(problems.filter(isNotTaken), problemOrigin);
  const refusals = byOrigin(reports.refusals, (r) => r.origin);
  const ignored = byOrigin(unsupportedProblems(mesh), (p) => p.origin);
  // A Gateway of the other API may have the same name.
  const partly = byOrigin(mesh.problems, (p) => (p.rule.startsWith('gateway-api/') ? undefined : p.origin));
  const blockers = reports.refusals.filter((r) => r.proxy === undefined);
  const gateways = gatewaysByName(mesh);
  const routes = new Map(mesh.gatewayApi.routes.map((state) => [state.route, state]));
  const gatewayFacts: GatewayFacts = {
    proxiesOf,
    hasCertificate: (gateway, name) => (proxiesOf(gateway).all > 0 ? reports.certificates.has(name) : undefined),
    refusalsOf: (gateway) => (refusals.get(originOf(gateway)) ?? []).map((r) => r.message),
  };

  function istio(live: LiveObject, resource: Resource | undefined): WantedStatus | undefined {
    const origin = liveOrigin(live);
    const current = resource && versionedOf(resource);
    const whole = (ignored.get(origin) ?? []).find(({ path }) => path === 'spec');
    const own = refusals.get(origin) ?? [];
    const condition = reconciled({
      current,
      proxies: resource === undefined ? { all: 0, byState: new Map() } : proxiesOf(resource),
      refusals: own,
      invalid: (invalid.get(origin) ?? []).map(textOf),
      blockedBy: blockers.find((r) => r.origin !== origin)?.origin,
      unsupported: whole?.message,
      partly: [...(partly.get(origin) ?? []), ...(ignored.get(origin) ?? [])].map(textOf),
    });
    return condition && { form: 'istio', conditions: [condition] };
  }

  function gatewayApi(live: LiveObject, resource: Resource): WantedStatus | undefined {
    if (live.kind === 'GatewayClass') {
      const status = wantedClass(resource as Parameters<typeof wantedClass>[0]);
      return status && { form: 'gateway', status };
    }
    if (live.kind === 'Gateway') {
      const state = gateways.get(`${live.metadata.namespace}/${live.metadata.name}`);
      const status = state && wantedGateway(state, mesh, gatewayFacts);
      return status && { form: 'gateway', status };
    }
    const state = routes.get(resource as never);
    return state && { form: 'route', parents: wantedParents(state, gateways) };
  }

  return (live) => {
    const group = groupOf(live);
    const found = resources.get(keyOf({ group, kind: live.kind, namespace: live.metadata.namespace ?? '', name: live.metadata.name }));
    const versioned = found && versionedOf(found);
    const isCurrent = versioned?.uid === live.metadata.uid && versioned.generation === live.metadata.generation;
    if (group !== GATEWAY_API) return istio(live, isCurrent ? found : undefined);
    // One that is not as the mesh has it says what it said, until it is.
    return isCurrent && found !== undefined ? gatewayApi(live, found) : undefined;
  };
}
