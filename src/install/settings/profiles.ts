import type { SettingsFile } from './schema.ts';

export type ProfileName = 'default' | 'minimal' | 'demo';

/** What settings begin with. */
export interface Profile {
  readonly description: string;
  readonly settings: SettingsFile;
}

export const profiles: Readonly<Record<ProfileName, Profile>> = {
  default: {
    description: 'the CA, sidecars for pods whose labels ask for them, and one ingress gateway: two to five pods behind a load balancer',
    settings: { injection: { enabled: true }, gateways: { ingressgateway: {} } },
  },
  minimal: { description: 'the CA and the definitions; gateways are added one by one', settings: {} },
  demo: {
    description:
      'for kind, minikube and the like: sidecars as with `default`, also where Pod Security is strict; one small ingress gateway on a node port',
    settings: {
      ca: { resources: { requests: { cpu: '10m', memory: '64Mi' } } },
      agent: { resources: { requests: { cpu: '10m', memory: '128Mi' }, limits: { memory: '1Gi' } } },
      injection: {
        enabled: true,
        namespaces: ['*'],
        replicas: 1,
        resources: { requests: { cpu: '10m', memory: '96Mi' }, limits: { memory: '512Mi' } },
      },
      gateways: {
        ingressgateway: {
          replicas: { min: 1, max: 1 },
          service: { type: 'NodePort' },
          resources: { requests: { cpu: '10m', memory: '128Mi' } },
        },
      },
    },
  },
};
