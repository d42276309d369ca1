import type { Message } from './message.ts';

const gateway = (listeners: string): string => `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: public
spec:
  gatewayClassName: fairlead
  listeners:
${listeners}`;

const listener = (more = ''): string => `    - {name: http, port: 80, protocol: HTTP${more}}
`;

const route = (hostname: string, port: number): string => `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: shop
spec:
  parentRefs: [{name: public}]
  hostnames: [${hostname}]
  rules:
    - backendRefs: [{name: web, port: ${port}}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
---
`;

/** Objects of the Gateway API that do not do what they say. */
export const flGatewayApi: readonly Message[] = [
  {
    code: 'FL0801',
    name: 'RouteNotAttached',
    level: 'Warning',
    args: ['reason: string', 'why: string'],
    template: 'the route is not attached there ({reason}): {why}',
    summary: 'A parentRef of a route of the Gateway API names no Gateway or listener that takes the route.',
    effect: 'The route is not used there: its requests get 404, or another route’s answer.',
    hint: 'Compare parentRefs and hostnames with the listeners of the Gateway, and their allowedRoutes',
    wrong: route('shop.example.org', 80) + gateway(listener(', hostname: "*.example.com"')),
    right: route('shop.example.com', 80) + gateway(listener(', hostname: "*.example.com"')),
  },
  {
    code: 'FL0802',
    name: 'ReferenceNotResolved',
    level: 'Warning',
    args: ['reason: string', 'why: string'],
    template: 'the reference leads nowhere ({reason}): {why}',
    summary: 'A backend or a certificate that an object of the Gateway API names is not there, or may not be used.',
    effect: 'The share of such a backend is answered 500; a listener without any certificate is not opened.',
    hint: 'Objects of other namespaces need a ReferenceGrant there',
    wrong: route('shop.example.com', 8080) + gateway(listener()),
    right: route('shop.example.com', 80) + gateway(listener()),
  },
  {
    code: 'FL0803',
    name: 'ListenerNotServed',
    level: 'Warning',
    args: ['reason: string', 'why: string'],
    template: 'the listener is not opened as it stands ({reason}): {why}',
    summary: 'A listener of a Gateway of the Gateway API has a protocol that nobody serves, or is in the way of another one.',
    effect: 'Nobody listens for it; listeners that are in each other’s way are all left out.',
    wrong: gateway(`${listener()}    - {name: raw, port: 80, protocol: TCP}\n`),
    right: gateway(`${listener()}    - {name: raw, port: 81, protocol: TCP}\n`),
  },
];
