import { originOf, type Resource } from '../../config/resource.ts';
import type { Analyzer } from '../analyzer.ts';
import { parsePath } from '../model/problem-fixes.ts';

/** What Fairlead's own proxies do not carry out, of either engine; only when it is asked for: other meshes carry it out. */
export const unenforced: Analyzer = {
  name: 'fl-unenforced',
  codes: ['FL0701'],
  async run(model, report) {
    if (!model.ownProxies) return;
    const [{ unsupportedProblems }, { resolveMeshConfig }] = await Promise.all([
      import('../../envoy/unsupported-problems.ts'),
      import('../../mesh/mesh-config.ts'),
    ]);
    const byOrigin = new Map<string, Resource>(model.all.map((resource) => [originOf(resource), resource]));
    for (const { origin = '', path = '', message } of unsupportedProblems({
      resources: model.all,
      config: resolveMeshConfig(model.meshConfig),
    })) {
      const resource = byOrigin.get(origin);
      if (resource !== undefined) report('FL0701', resource, parsePath(path), { problem: message }, { atKey: true });
    }
    await reportUnguarded(model, report, byOrigin);
  },
};

const SECURITY: ReadonlySet<string> = new Set(['AuthorizationPolicy', 'RequestAuthentication', 'PeerAuthentication']);

/** Policies for ports in front of which no proxy stands. */
async function reportUnguarded(
  ...[model, report, byOrigin]: [...Parameters<Analyzer['run']>, ReadonlyMap<string, Resource>]
): Promise<void> {
  if (!model.all.some(({ kind }) => SECURITY.has(kind))) return;
  const [{ buildMesh }, { everyProxy }, { securityProblems, unguardedPorts }] = await Promise.all([
    import('../../mesh/mesh.ts'),
    import('../../mesh/proxies.ts'),
    import('../../envoy/security/policy-problems.ts'),
  ]);
  const mesh = buildMesh(model.whole, { meshConfig: model.meshConfig });
  for (const proxy of everyProxy(mesh)) {
    if (proxy.workload.kind === 'implied') continue;
    const scope = mesh.scope(proxy);
    if (proxy.interception !== 'NONE' && unguardedPorts(scope).length === 0) continue;
    for (const { rule, origin = '', path = '', message } of securityProblems(mesh, scope)) {
      const resource = byOrigin.get(origin);
      if (!rule.startsWith('unsupported/') || resource === undefined) continue;
      report('FL0701', resource, parsePath(path), { problem: message }, { atKey: true });
    }
  }
}
