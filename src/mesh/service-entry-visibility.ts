import { type ExportTo, isExportedTo } from './export-to.ts';
import { type LabelSelector, matchesSelector } from './labels.ts';
import type { ServiceContext } from './services-kubernetes.ts';

/**
 * MeshConfig `serviceEntryVisibility` caps what ServiceEntries of a namespace export, and widens nothing: NAMESPACE leaves their own,
 * NONE nobody. It holds for sidecars and gateways only with `applyToSidecars`. The first policy whose rules all match decides; a
 * policy without rules matches every namespace.
 */
export function capExportTo(exportTo: ExportTo, namespace: string, { config, namespaces }: ServiceContext): ExportTo {
  const settings = config.serviceEntryVisibility;
  if (settings?.applyToSidecars !== true) return exportTo;
  const labels = { 'kubernetes.io/metadata.name': namespace, ...namespaces.get(namespace)?.metadata.labels };
  const policy = settings.policies?.find((p) =>
    // A rule without a selector matches nothing.
    (p.matchingRules ?? []).every(
      (r) => r.namespaceSelector !== undefined && matchesSelector(r.namespaceSelector as LabelSelector, labels),
    ),
  );
  const visibility = policy === undefined ? settings.defaultVisibility : policy.visibility;
  if (visibility === 'NONE') return ['~'];
  if (visibility !== 'NAMESPACE') return exportTo;
  return isExportedTo(exportTo, namespace) ? [namespace] : ['~'];
}
