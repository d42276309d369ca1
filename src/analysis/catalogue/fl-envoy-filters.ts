import type { Message } from './message.ts';

const filter = (service: string): string => `apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata:
  name: reviews
  namespace: shop
spec:
  configPatches:
    - applyTo: CLUSTER
      match:
        cluster: {service: ${service}}
      patch:
        operation: MERGE
        value: {connect_timeout: 2s}
---
apiVersion: v1
kind: Service
metadata:
  name: reviews
  namespace: shop
spec:
  ports: [{name: http, port: 80}]
---
apiVersion: v1
kind: Pod
metadata:
  name: web-1
  namespace: shop
  labels: {app: web}
spec:
  containers: [{name: app, image: web}]
`;

/** Patches of generated configuration. */
export const flEnvoyFilters: readonly Message[] = [
  {
    code: 'FL0501',
    name: 'PatchChangesNothing',
    level: 'Warning',
    args: ['applyTo: string', 'proxies: int'],
    template: 'nothing of this kind ({applyTo}) is matched in the config of any of the {proxies} proxies that it is for',
    summary: 'The match of a patch finds no listener, filter chain, route or cluster in any computed config.',
    effect:
      'It does nothing, and nobody says so. Names of filters are not looked at: they depend on what else the control plane puts in. Not checked where proxies times services are over 4,000.',
    hint: '`fairlead proxy-config` shows what there is to match',
    wrong: filter('revews.shop.svc.cluster.local'),
    right: filter('reviews.shop.svc.cluster.local'),
  },
];
