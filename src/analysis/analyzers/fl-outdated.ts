import type { Gateway, VirtualService } from '../../config/kinds/networking.ts';
import { findKind } from '../../config/kinds/registry.ts';
import type { FieldPath, Resource } from '../../config/resource.ts';
import type { Analyzer } from '../analyzer.ts';
import type { ReportFinding } from '../finding.ts';
import { withoutDoubles } from '../model/problem-fixes.ts';

/** Old API versions that have an exact replacement, and entries that are there twice. */
export const outdated: Analyzer = {
  name: 'fl-outdated',
  codes: ['FL0603', 'FL0604'],
  run(model, report) {
    for (const resource of model.all) checkVersion(resource, report);
    for (const resource of model.of<VirtualService>('VirtualService')) {
      checkTwice(resource, resource.spec.gateways, ['spec', 'gateways'], report);
    }
    for (const resource of model.of<Gateway>('Gateway')) {
      for (const [i, { hosts }] of (resource.spec.servers ?? []).entries())
        checkTwice(resource, hosts, ['spec', 'servers', i, 'hosts'], report);
    }
  },
};

const newest = new Map<string, string>();

function checkVersion(resource: Resource, report: ReportFinding): void {
  const { apiVersion, kind, group, version } = resource;
  if (!group.endsWith('istio.io') || version === 'v1') return;
  const key = `${apiVersion} ${kind}`;
  if (!newest.has(key)) newest.set(key, findKind(apiVersion, kind)?.versions[0] ?? version);
  if (newest.get(key) !== 'v1') return;
  const fresh = `${group}/v1`;
  const fix = { title: `Write apiVersion ${fresh}`, edits: [{ resource, path: ['apiVersion'], value: fresh }] };
  report('FL0603', resource, ['apiVersion'], { version: apiVersion, fresh }, { fix });
}

function checkTwice(resource: Resource, list: readonly string[] | undefined, at: FieldPath, report: ReportFinding): void {
  if (list === undefined || list.length < 2) return;
  const first = new Map<string, number>();
  for (const [i, entry] of list.entries()) {
    const earlier = first.get(entry);
    if (earlier === undefined) {
      first.set(entry, i);
      continue;
    }
    const related = [{ resource, at: [...at, earlier], note: 'it is here already' }];
    const fix = withoutDoubles(resource, [...at, i]);
    report('FL0604', resource, [...at, i], { entry }, { related, ...(fix && { fix }) });
  }
}
