import type { MutatingWebhookConfiguration } from '../../config/kinds/kubernetes.ts';
import { matchesSelector } from '../../mesh/labels.ts';
import type { Analyzer } from '../analyzer.ts';
import type { AnalysisModel } from '../model/analysis-model.ts';
import { podWorkload, templateWorkload, type Workload } from '../model/workloads.ts';

/** `image: auto` where no injector replaces it. */
export const autoImages: Analyzer = {
  name: 'auto-images',
  codes: ['IST0146', 'IST0147'],
  run(model, report) {
    for (const pod of model.of('Pod')) {
      const index = autoContainer(podWorkload(pod));
      if (index === -1) continue;
      const args = { resourceType: 'Pod', resourceName: pod.metadata.name };
      report('IST0147', pod, ['spec', 'containers', index, 'image'], args);
    }
    for (const deployment of model.of('Deployment')) {
      const workload = templateWorkload(deployment);
      const index = workload === undefined ? -1 : autoContainer(workload);
      if (index === -1 || isInjected(model, workload!)) continue;
      const args = { resourceType: 'Deployment', resourceName: deployment.metadata.name };
      report('IST0146', deployment, ['spec', 'template', 'spec', 'containers', index, 'image'], args);
    }
  },
};

function autoContainer({ spec }: Workload): number {
  return (spec.containers ?? []).findIndex(({ name, image }) => name === 'istio-proxy' && image === 'auto');
}

function isInjected(model: AnalysisModel, { namespace, labels }: Workload): boolean {
  const ofNamespace = model.namespaces.get(namespace)?.metadata.labels ?? {};
  return model
    .of<MutatingWebhookConfiguration>('MutatingWebhookConfiguration')
    .some(({ spec }) =>
      (spec.webhooks ?? []).some(
        ({ name, namespaceSelector, objectSelector }) =>
          name.endsWith('istio.io') &&
          matchesSelector(namespaceSelector ?? {}, ofNamespace) &&
          matchesSelector(objectSelector ?? {}, labels),
      ),
    );
}
