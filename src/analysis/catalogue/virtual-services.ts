import type { Message } from './message.ts';

const vs = (name: string, body: string): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: ${name}
spec:
${body.replace(/^(?=.)/gm, '  ')}`;

const toReviews = `  route:
    - destination:
        host: reviews
`;

const service = (ports: string): string => `---
apiVersion: v1
kind: Service
metadata:
  name: reviews
spec:
  selector:
    app: reviews
  ports:
${ports.replace(/^(?=.)/gm, '    ')}`;

const gateway = (host: string): string => `---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata:
  name: public
spec:
  selector:
    istio: ingressgateway
  servers:
    - hosts:
        - ${host}
      port:
        number: 80
        name: http
        protocol: HTTP
`;

const ingressPod = `---
apiVersion: v1
kind: Pod
metadata:
  name: ingressgateway-1
  namespace: istio-system
  labels:
    istio: ingressgateway
spec:
  containers:
    - name: istio-proxy
      image: proxyv2
---
apiVersion: v1
kind: Service
metadata:
  name: ingressgateway
  namespace: istio-system
  labels:
    istio: ingressgateway
spec:
  selector:
    istio: ingressgateway
  ports:
    - name: http
      port: 80
      protocol: TCP
`;

const claims = vs(
  'shop',
  `hosts:
  - shop.example.com
gateways:
  - public
http:
  - match:
      - headers:
          "@request.auth.claims.group":
            exact: admin
    route:
      - destination:
          host: reviews
`,
);

const authentication = `---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata:
  name: ingress
  namespace: istio-system
spec:
  selector:
    matchLabels:
      istio: ingressgateway
  jwtRules:
    - issuer: https://issuer.example.com
`;

const http = service(`- name: http
  port: 80
`);

/** What VirtualServices do to each other and to themselves. */
export const virtualServices: readonly Message[] = [
  {
    code: 'IST0109',
    name: 'ConflictingMeshGatewayVirtualServiceHosts',
    level: 'Error',
    args: ['virtualServices: string', 'host: string'],
    template: 'the VirtualServices {virtualServices} are for the same host {host} in the mesh',
    summary: 'Several VirtualServices bound to the mesh are for the same host.',
    effect: 'For sidecars only the oldest of them takes effect; the routes of the others are silently left out.',
    hint: 'Merge them into one, or use a root VirtualService with delegates',
    wrong: `${vs('a', `hosts: [reviews]\nhttp:\n- name: a\n${toReviews}`)}---\n${vs('b', `hosts: [reviews]\nhttp:\n- name: b\n${toReviews}`)}`,
    right: `${vs('a', `hosts: [reviews]\nhttp:\n- name: a\n${toReviews}`)}---\n${vs('b', `hosts: [ratings]\nhttp:\n- name: b\n${toReviews}`)}`,
  },
  {
    code: 'IST0112',
    name: 'VirtualServiceDestinationPortSelectorRequired',
    level: 'Error',
    args: ['destHost: string', 'destPorts: []int'],
    template: 'the destination "{destHost}" has several ports ({destPorts}), so it needs `port`',
    summary: 'A destination without a port is a service with several.',
    effect: 'The route is for the port that the request came in by, and for a gateway, which has other ports, that is none: 503.',
    hint: 'Add `port.number` to the destination',
    wrong: `${vs('reviews', `hosts: [reviews]\nhttp:\n- name: all\n${toReviews}`)}${service('- {name: http, port: 80}\n- {name: grpc, port: 90}\n')}`,
    right: `${vs('reviews', `hosts: [reviews]\nhttp:\n- name: all\n${toReviews}        port: {number: 90}\n`)}${service('- {name: http, port: 80}\n- {name: grpc, port: 90}\n')}`,
  },
  {
    code: 'IST0130',
    name: 'VirtualServiceUnreachableRule',
    level: 'Warning',
    args: ['ruleno: string', 'reason: string'],
    template: 'rule {ruleno} is never used: {reason}',
    summary: 'A rule comes after one that takes all its requests.',
    effect: 'The first rule that matches is used, so the later one never is.',
    hint: 'Move the wider rule to the end',
    wrong: vs('reviews', `hosts: [reviews]\nhttp:\n- name: all\n${toReviews}- match:\n    - uri: {prefix: /v2}\n${toReviews}`),
    right: vs('reviews', `hosts: [reviews]\nhttp:\n- match:\n    - uri: {prefix: /v2}\n${toReviews}- name: all\n${toReviews}`),
  },
  {
    code: 'IST0131',
    name: 'VirtualServiceIneffectiveMatch',
    level: 'Info',
    args: ['ruleno: string', 'matchno: string', 'dupno: string'],
    template: 'match {matchno} of rule {ruleno} is never used: {dupno} takes the same requests before it',
    summary: 'A match repeats an earlier one, or is for a longer prefix after a shorter one.',
    effect: 'The first rule that matches is used, so this match never is.',
    hint: 'Put longer prefixes before shorter ones',
    wrong: vs(
      'reviews',
      `hosts: [reviews]\nhttp:\n- match:\n    - uri: {prefix: /api}\n${toReviews}- match:\n    - uri: {prefix: /api/v2}\n${toReviews}`,
    ),
    right: vs(
      'reviews',
      `hosts: [reviews]\nhttp:\n- match:\n    - uri: {prefix: /api/v2}\n${toReviews}- match:\n    - uri: {prefix: /api}\n${toReviews}`,
    ),
  },
  {
    code: 'IST0132',
    name: 'VirtualServiceHostNotFoundInGateway',
    level: 'Warning',
    args: ['host: []string', 'virtualservice: string', 'gateway: string'],
    template: 'none of the hosts {host} of VirtualService {virtualservice} is served by Gateway {gateway}',
    summary: 'A VirtualService is bound to a Gateway that serves none of its hosts.',
    effect: 'The Gateway does not use the VirtualService: requests get 404.',
    hint: 'Add the host to a server of the Gateway; a host with a namespace before it is for VirtualServices of that namespace only',
    wrong: `${vs('shop', `hosts: [shop.example.com]\ngateways: [public]\nhttp:\n- name: all\n${toReviews}`)}${gateway('api.example.com')}`,
    right: `${vs('shop', `hosts: [shop.example.com]\ngateways: [public]\nhttp:\n- name: all\n${toReviews}`)}${gateway('"*.example.com"')}`,
  },
  {
    code: 'IST0140',
    name: 'IngressRouteRulesNotAffected',
    level: 'Warning',
    args: ['virtualservicesubset: string', 'virtualservice: string'],
    template:
      'the subset rules of VirtualService {virtualservicesubset} do not apply to the requests that {virtualservice} routes to the same host',
    summary: 'A gateway routes to a host whose subset rules are in another VirtualService, for the mesh.',
    effect: 'Requests from outside are spread over all versions: the rules of the mesh are for sidecars, not for gateways.',
    hint: 'Name the subset here too, or bind the rules to the gateway',
    wrong: `${vs('split', `hosts: [reviews]\nhttp:\n- name: v1\n${toReviews}        subset: v1\n`)}---\n${vs('edge', `hosts: [shop.example.com]\ngateways: [public]\nhttp:\n- name: all\n${toReviews}`)}`,
    right: `${vs('split', `hosts: [reviews]\nhttp:\n- name: v1\n${toReviews}        subset: v1\n`)}---\n${vs('edge', `hosts: [shop.example.com]\ngateways: [public]\nhttp:\n- name: all\n${toReviews}        subset: v1\n`)}`,
  },
  {
    code: 'IST0149',
    name: 'JwtClaimBasedRoutingWithoutRequestAuthN',
    level: 'Error',
    args: ['key: string', 'gateway: string', 'pod: string'],
    template: 'requests are routed by {key}, but no RequestAuthentication is for Pod {pod} of Gateway {gateway}',
    summary: 'A route by a claim of the JWT is on a gateway that checks no JWT.',
    effect: 'Without a checked token there are no claims, so the match never holds.',
    hint: 'Add a RequestAuthentication for the gateway',
    wrong: `${claims}${gateway('shop.example.com')}${ingressPod}${http}`,
    right: `${claims}${gateway('shop.example.com')}${ingressPod}${http}${authentication}`,
  },
  {
    code: 'IST0165',
    name: 'ReferencedInternalGateway',
    level: 'Warning',
    args: ['virtualservice: string', 'gateway: string'],
    template: 'VirtualService {virtualservice} names {gateway}, which Istio made of a Kubernetes Gateway for itself',
    summary: 'A VirtualService names a generated Gateway.',
    effect: 'Generated names change without notice; then the VirtualService is bound to nothing.',
    hint: 'Use an HTTPRoute for a Kubernetes Gateway, or name the Gateway itself',
    wrong: vs(
      'shop',
      `hosts: [shop.example.com]\ngateways: [default/public-istio-autogenerated-k8s-gateway~, "default/x~istio-autogenerated-k8s-gateway~http"]\nhttp:\n- name: all\n${toReviews}`,
    ),
    right: `${vs('shop', `hosts: [shop.example.com]\ngateways: [public]\nhttp:\n- name: all\n${toReviews}`)}${gateway('shop.example.com')}`,
  },
];
