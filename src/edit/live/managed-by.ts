/** Who else writes an object, and would take a change back. */
import type { LiveObject } from '../../install/live/cluster-api.ts';

export interface Manager {
  /** `Argo CD` */
  name: string;
  /** How that is known. */
  by: string;
  /** What becomes of a change, and what to do about it. */
  next: string;
}

const REVERTS = 'It may take the change back: change it where it comes from as well';

/**
 * Argo CD: https://argo-cd.readthedocs.io/en/stable/user-guide/resource_tracking/, Flux: https://fluxcd.io/flux/components/kustomize/kustomizations/,
 * Helm: https://helm.sh/docs/chart_best_practices/labels/, controllers: https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/
 */
export function managerOf({ metadata }: LiveObject): Manager | undefined {
  const { labels = {}, annotations = {} } = metadata as { labels?: Record<string, string>; annotations?: Record<string, string> };
  const owner = (metadata.ownerReferences as { kind: string; name: string; controller?: boolean }[] | undefined)?.find((o) => o.controller);
  if (owner !== undefined)
    return {
      name: `${owner.kind} ${owner.name}`,
      by: 'its controller by ownerReferences',
      next: `${REVERTS}, or change ${owner.kind} ${owner.name} instead.`,
    };
  const argo = ['argocd.argoproj.io/tracking-id', 'argocd.argoproj.io/instance'].find((key) => annotations[key] ?? labels[key]);
  const argoWrites = metadata.managedFields?.find(({ manager = '' }) => manager.startsWith('argocd-'))?.manager;
  if (argo !== undefined || argoWrites !== undefined)
    return {
      name: 'Argo CD',
      by: argo === undefined ? `its field manager ${argoWrites}` : `${argo}=${annotations[argo] ?? labels[argo]}`,
      next: `${REVERTS}, or leave the field to others in the Application (ignoreDifferences, with RespectIgnoreDifferences=true).`,
    };
  return flux(labels, annotations) ?? helm(labels, annotations);
}

function flux(labels: Readonly<Record<string, string>>, annotations: Readonly<Record<string, string>>): Manager | undefined {
  const label = ['kustomize.toolkit.fluxcd.io/name', 'helm.toolkit.fluxcd.io/name'].find((key) => labels[key]);
  if (label === undefined) return undefined;
  if (annotations['kustomize.toolkit.fluxcd.io/reconcile'] === 'disabled') return undefined;
  if (['Ignore', 'IfNotPresent'].includes(annotations['kustomize.toolkit.fluxcd.io/ssa'] ?? '')) return undefined;
  return {
    name: 'Flux',
    by: `${label}=${labels[label]}`,
    next: `${REVERTS}, or annotate it with kustomize.toolkit.fluxcd.io/reconcile=disabled for as long as it is changed here.`,
  };
}

function helm(labels: Readonly<Record<string, string>>, annotations: Readonly<Record<string, string>>): Manager | undefined {
  const release = annotations['meta.helm.sh/release-name'];
  if (release === undefined || labels['app.kubernetes.io/managed-by'] !== 'Helm') return undefined;
  return { name: 'Helm', by: `meta.helm.sh/release-name=${release}`, next: `The next upgrade of ${release} may take the change back.` };
}
