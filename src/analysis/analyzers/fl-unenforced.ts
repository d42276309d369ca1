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
  },
};
