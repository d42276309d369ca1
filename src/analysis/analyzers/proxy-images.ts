import type { ProxyConfig } from '../../config/kinds/networking.ts';
import { parseDocument } from '../../config/yaml/parse-document.ts';
import { isSubset, labelOf } from '../../mesh/labels.ts';
import type { Analyzer } from '../analyzer.ts';
import type { AnalysisModel } from '../model/analysis-model.ts';
import { INJECTION, REVISION } from '../model/injection.ts';
import { type InjectorValues, injectorOf, injectorValues } from '../model/injector.ts';
import type { Workload } from '../model/workloads.ts';

/** Pods whose proxy is not of the version that the injector would give them now. */
export const proxyImages: Analyzer = {
  name: 'proxy-images',
  codes: ['IST0158'],
  run(model, report) {
    const injectors = injectorValues(model);
    if (injectors.size === 0) return;
    for (const [name, resource] of model.namespaces) {
      const { labels } = resource.metadata;
      if (labelOf(labels, INJECTION) !== 'enabled' && !Object.hasOwn(labels, REVISION)) continue;
      const values = injectors.get(injectorOf(labels));
      const expected = values === undefined ? undefined : expectedImage(values);
      if (expected === undefined) continue;
      const wrong = model.workloadSearch.select({}, name).filter((workload) => workload.isPod && differs(model, workload, expected));
      if (wrong.length === 0) continue;
      const related = wrong.slice(0, 10).map((workload) => ({
        resource: workload.resource,
        at: ['spec', 'containers'],
        note: `Pod ${workload.name} has another image`,
      }));
      report('IST0158', resource, ['metadata', 'name'], { podNames: wrong.map((workload) => workload.name).sort() }, { related });
    }
  },
};

function expectedImage({ global = {} }: InjectorValues): string | undefined {
  const image = global.proxy?.image;
  if (image === undefined) return undefined;
  return image.includes('/') ? image : `${global.hub}/${image}:${global.tag}`;
}

function differs(model: AnalysisModel, workload: Workload, expected: string): boolean {
  if (labelOf(workload.annotations, 'sidecar.istio.io/proxyImage') !== undefined) return false;
  const variant = imageVariant(model, workload);
  const good = new Set([expected, ...(variant === '' || variant === 'default' ? [] : [`${expected}-${variant}`])]);
  return [...(workload.spec.containers ?? []), ...(workload.spec.initContainers ?? [])].some(
    ({ name, image }) => name === 'istio-proxy' && !good.has(image ?? ''),
  );
}

/** The last that says something: mesh, root namespace, namespace, selectors, annotation. */
function imageVariant(model: AnalysisModel, workload: Workload): string {
  let variant = model.meshConfig.defaultConfig?.image?.imageType ?? '';
  const configs = model.of<ProxyConfig>('ProxyConfig');
  const use = (found: string | undefined): void => {
    if (found) variant = found;
  };
  for (const { spec, metadata } of configs) if (metadata.namespace === model.rootNamespace && !spec.selector) use(spec.image?.imageType);
  for (const { spec, metadata } of configs) if (metadata.namespace === workload.namespace && !spec.selector) use(spec.image?.imageType);
  for (const { spec, metadata } of configs) {
    if (metadata.namespace === workload.namespace && spec.selector && isSubset(spec.selector.matchLabels ?? {}, workload.labels)) {
      use(spec.image?.imageType);
    }
  }
  const written = labelOf(workload.annotations, 'proxy.istio.io/config');
  const parsed = written === undefined ? undefined : parseDocument(written);
  if (parsed?.ok) use((parsed.value as { image?: { imageType?: string } } | null)?.image?.imageType);
  return variant;
}
