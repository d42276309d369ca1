import type { AuthorizationPolicy } from '../../config/kinds/security.ts';
import type { Analyzer } from '../analyzer.ts';
import type { AnalysisModel } from '../model/analysis-model.ts';
import { isSystemNamespace } from '../model/system-namespaces.ts';

/** Namespaces that AuthorizationPolicies name and that are not there. */
export const policyNamespaces: Analyzer = {
  name: 'policy-namespaces',
  codes: ['IST0101'],
  run(model, report) {
    if (!model.given.namespaces) return;
    const known = knownNamespaces(model);
    for (const resource of model.of<AuthorizationPolicy>('AuthorizationPolicy')) {
      for (const [i, rule] of (resource.spec.rules ?? []).entries()) {
        for (const [j, { source }] of (rule.from ?? []).entries()) {
          for (const field of ['namespaces', 'notNamespaces'] as const) {
            for (const [k, entry] of (source?.[field] ?? []).entries()) {
              if (matchesOne(entry, known)) continue;
              report('IST0101', resource, ['spec', 'rules', i, 'from', j, 'source', field, k], { reftype: 'namespace', refval: entry });
            }
          }
        }
      }
    }
  },
};

/** Namespace objects, and namespaces in which something lives: those exist even if their own object is kept elsewhere. */
function knownNamespaces(model: AnalysisModel): ReadonlySet<string> {
  const names = new Set<string>([model.rootNamespace]);
  for (const name of model.namespaces.keys()) names.add(name.toLowerCase());
  for (const kind of ['Service', 'Pod', 'Deployment', 'StatefulSet', 'DaemonSet']) {
    for (const { metadata } of model.of(kind)) names.add(metadata.namespace.toLowerCase());
  }
  return names;
}

function matchesOne(entry: string, known: ReadonlySet<string>): boolean {
  if (entry === '*') return known.size > 0;
  const name = entry.toLowerCase();
  if (isSystemNamespace(name)) return true;
  if (entry.startsWith('*')) return [...known].some((namespace) => namespace.endsWith(name.slice(1)));
  if (entry.endsWith('*')) return [...known].some((namespace) => namespace.startsWith(name.slice(0, -1)));
  return known.has(name);
}
