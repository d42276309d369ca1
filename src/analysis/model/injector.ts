import type { ConfigMap } from '../../config/kinds/kubernetes.ts';
import { type Labels, labelOf } from '../../mesh/labels.ts';
import type { AnalysisModel } from './analysis-model.ts';
import { REVISION } from './injection.ts';

const PREFIX = 'istio-sidecar-injector';

/** What the injector of a revision is set to. */
export interface InjectorValues {
  global?: { hub?: string; tag?: string; proxy?: { image?: string } };
  sidecarInjectorWebhook?: { enableNamespacesByDefault?: boolean };
}

/** The settings of the injectors by the name of their ConfigMap, whatever its namespace; undefined where they cannot be read. */
export function injectorValues(model: AnalysisModel): ReadonlyMap<string, InjectorValues | undefined> {
  return model.shared('injector values', () => {
    const found = new Map<string, InjectorValues | undefined>();
    for (const { metadata, spec } of model.of<ConfigMap>('ConfigMap')) {
      if (metadata.name.startsWith(PREFIX)) found.set(metadata.name, readValues(spec.data?.['values']));
    }
    return found;
  });
}

function readValues(text: unknown): InjectorValues | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' ? (value as InjectorValues) : undefined;
  } catch {
    return undefined;
  }
}

/** The ConfigMap of the injector that serves a namespace with these labels. */
export function injectorOf(labels: Labels): string {
  const revision = labelOf(labels, REVISION);
  return revision === undefined || revision === 'default' ? PREFIX : `${PREFIX}-${revision}`;
}
