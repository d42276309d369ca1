import type { ValidatingWebhook } from '../../config/kinds/kubernetes.ts';
import { isIpAddress } from '../../config/semantics/names.ts';
import type { Analyzer } from '../analyzer.ts';

/** Webhooks that point to a control plane outside the cluster. */
export const externalControlPlane: Analyzer = {
  name: 'external-control-plane',
  codes: ['IST0163', 'IST0164'],
  run(model, report) {
    for (const kind of ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration']) {
      for (const resource of model.of<{ webhooks?: ValidatingWebhook[] }>(kind)) {
        const { name } = resource.metadata;
        const ours =
          kind === 'MutatingWebhookConfiguration'
            ? name.startsWith('istio-sidecar-injector')
            : name === 'istiod-default-validator' || name.startsWith('istio-validator');
        if (!ours) continue;
        for (const [i, { name: webhook, clientConfig }] of (resource.spec.webhooks ?? []).entries()) {
          const { url, service } = clientConfig ?? {};
          const at = ['webhooks', i, 'clientConfig'];
          if (!url) {
            if (service === undefined) {
              const msg = 'it has neither `url` nor `service`';
              report('IST0163', resource, at, { hostname: '', webhook, msg }, { atKey: true });
            }
            continue;
          }
          const parsed = URL.parse(url);
          if (parsed === null || parsed.hostname === '') {
            report('IST0163', resource, [...at, 'url'], { hostname: url, webhook, msg: 'it is no URL' });
          } else if (isIpAddress(parsed.hostname.replace(/^\[|\]$/g, ''))) {
            report('IST0164', resource, [...at, 'url'], { hostname: parsed.hostname, webhook });
          }
        }
      }
    }
  },
};
