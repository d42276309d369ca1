import type { Message } from './message.ts';

const policy = (labels: string): string => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: reviews
  namespace: shop
spec:
  selector:
    matchLabels: {${labels}}
  rules: [{}]
`;

const pod = (labels: string): string => `---
apiVersion: v1
kind: Pod
metadata:
  name: reviews-1
  namespace: shop
  labels: {${labels}}
spec:
  containers: [{name: app, image: reviews}, {name: istio-proxy, image: proxyv2}]
`;

const istiod = (env: string): string => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: istiod
  namespace: istio-system
  labels: {app: istiod}
spec:
  selector:
    matchLabels: {app: istiod}
  template:
    metadata:
      labels: {app: istiod}
    spec:
      containers:
        - name: discovery
          image: pilot
          env: [${env}]
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata:
  name: jwt
  namespace: shop
spec:
  jwtRules:
    - issuer: https://issuer.example.com
`;

/** Who may call whom. */
export const policies: readonly Message[] = [
  {
    code: 'IST0127',
    name: 'NoMatchingWorkloadsFound',
    level: 'Warning',
    args: ['labels: string'],
    template: 'no workload of the mesh is under the policy{labels: (labels }{labels::)}',
    summary: 'An AuthorizationPolicy selects no workload of the mesh.',
    effect: 'It does nothing: what it should close stays open.',
    hint: 'Compare its labels with those of the Pods; Pods without a sidecar do not count',
    wrong: `${policy('app: revews')}${pod('app: reviews')}`,
    right: `${policy('app: reviews')}${pod('app: reviews')}`,
  },
  {
    code: 'IST0166',
    name: 'IneffectiveSelector',
    level: 'Warning',
    args: ['gateway: string'],
    template: 'the selector chooses the proxies of the Kubernetes Gateway {gateway}, for which only `targetRefs` count',
    summary: 'A policy selects the proxy of a Kubernetes Gateway or waypoint by labels.',
    effect: 'It does nothing there: what it should close stays open.',
    hint: 'Attach the policy with `targetRefs`',
    wrong: `${policy('app: reviews')}${pod('app: reviews, gateway.networking.k8s.io/gateway-name: waypoint')}`,
    right: `${policy('app: reviews')}${pod('app: reviews')}`,
  },
  {
    code: 'IST0175',
    name: 'JwksUriFetchUnrestricted',
    level: 'Warning',
    args: ['count: int', 'names: string'],
    template: 'the control plane fetches keys from any address that one of {count} RequestAuthentications names ({names})',
    summary: 'The control plane fetches keys for JWTs without a list of addresses that are forbidden.',
    effect: 'Whoever can write a RequestAuthentication can make the control plane call addresses inside the network.',
    hint: 'Set BLOCKED_CIDRS_IN_JWKS_URIS on istiod',
    wrong: istiod(''),
    right: istiod('{name: BLOCKED_CIDRS_IN_JWKS_URIS, value: "10.0.0.0/8"}'),
  },
];
