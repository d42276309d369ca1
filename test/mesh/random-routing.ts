import type { Resource } from '../../src/config/resource.ts';
import { doc, resourcesOf } from './fixture.ts';
import { changed, type Next } from './random-changes.ts';

const hosts = ['a', 'b', 'c', 'hand', 'headless', 'sel.example.com', 'e.example.com', 'dns.example.com', 'alias', 'nobody'];
const pick = <T>(list: readonly T[], next: Next): T => list[next(list.length)]!;
const yes = (next: Next, one: number, text: string): string => (next(one) === 0 ? text : '');

function destination(next: Next): string {
  return `{destination: {host: ${pick(hosts, next)}${yes(next, 2, `, subset: ${pick(['v1', 'v2'], next)}`)}${yes(next, 3, ', port: {number: 80}')}}, weight: ${1 + next(9)}}`;
}

function httpRule(next: Next): string {
  const match = [
    '',
    `match: [{uri: {prefix: /${next(3)}}}], `,
    `match: [{headers: {x: {exact: "${next(3)}"}}}, {port: 80}], `,
    'match: [{sourceLabels: {app: none}}], ',
    'match: [{gateways: [gw]}], ',
  ][next(5)];
  const action = [
    `route: [${destination(next)}]`,
    `route: [${destination(next)}, ${destination(next)}], timeout: ${1 + next(3)}s`,
    `route: [${destination(next)}], retries: {attempts: ${next(3)}}, mirror: {host: ${pick(hosts, next)}}`,
    `directResponse: {status: 20${next(3)}}`,
    `delegate: {name: d${next(2)}}`,
    'redirect: {uri: /other}',
  ][next(6)];
  return `{${match}${action}}`;
}

const list = (next: Next, most: number, make: (next: Next) => string): string =>
  `[${Array.from({ length: 1 + next(most) }, () => make(next)).join(', ')}]`;

const exportTo = (next: Next): string => yes(next, 4, `, exportTo: [${pick(['"."', '"*"', 'other'], next)}]`);

const api = (kind: string, name: string, spec: string): string =>
  doc(kind, name, `spec: ${spec}`).replace('networking.istio.io', 'gateway.networking.k8s.io');

const makers: ((next: Next) => string)[] = [
  (next) =>
    doc(
      'VirtualService',
      `v${next(6)}`,
      `spec: {hosts: ${list(next, 2, () => pick([...hosts, '"*.example.com"', '"*"'], next))}${yes(next, 3, `, gateways: [${pick(['gw', 'mesh', 'gw, mesh'], next)}]`)}, http: ${list(next, 3, httpRule)}${exportTo(next)}}`,
    ),
  (next) =>
    doc(
      'VirtualService',
      `t${next(2)}`,
      `spec: {hosts: [headless], tcp: [{match: [{port: 90}], route: [{destination: {host: ${pick(hosts, next)}, port: {number: 80}}}]}]}`,
    ),
  (next) => doc('VirtualService', `d${next(2)}`, `spec: {http: ${list(next, 2, httpRule)}}`),
  (next) => {
    const policy = pick(
      [
        'outlierDetection: {}',
        'loadBalancer: {simple: RANDOM}',
        'loadBalancer: {consistentHash: {httpHeaderName: x}}',
        `connectionPool: {tcp: {maxConnections: ${1 + next(3)}}}`,
        'tls: {mode: DISABLE}',
        'tls: {mode: ISTIO_MUTUAL}',
        'tls: {mode: SIMPLE}',
      ],
      next,
    );
    const subsets = `, subsets: [{name: v1, labels: {app: ${pick(['a', 'b'], next)}}}${yes(next, 2, ', {name: v2, labels: {app: c}, trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}}')}]`;
    return doc(
      'DestinationRule',
      `r${next(5)}`,
      `spec: {host: ${pick([...hosts, '"*.example.com"'], next)}, trafficPolicy: {${policy}}${yes(next, 2, subsets)}${exportTo(next)}}`,
    );
  },
  (next) =>
    doc(
      'ServiceEntry',
      `x${next(3)}`,
      `spec: {hosts: [${pick(['dns.example.com', 'x.example.com', '"*.wild.example"', 'a.default.svc.cluster.local'], next)}], resolution: ${pick(['DNS', 'DNS_ROUND_ROBIN', 'NONE', 'DYNAMIC_DNS'], next)}, ports: [{number: ${pick([80, 443, 90], next)}, name: p, protocol: ${pick(['HTTP', 'TLS', 'TCP'], next)}}]${exportTo(next)}}`,
    ),
  (next) =>
    doc(
      'ServiceEntry',
      `m${next(3)}`,
      `spec: {hosts: [merged.example.com], resolution: STATIC, ports: [{number: ${80 + next(3)}, name: http, protocol: HTTP}], endpoints: [{address: 10.3.0.${1 + next(3)}}]}`,
    ),
  (next) =>
    doc(
      'Service',
      `n${next(4)}`,
      `spec: {selector: {app: ${pick(['a', 'b'], next)}}, ports: [{name: ${pick(['http', 'tcp', 'x'], next)}, port: ${pick([80, 81, 90], next)}}]}`,
    ),
  (next) =>
    doc(
      'Service',
      'alias',
      `spec: {type: ExternalName, externalName: ${pick(['a.default.svc.cluster.local', 'dns.example.com', 'nowhere.example'], next)}, ports: [{name: http, port: 80}]}`,
    ),
  (next) =>
    doc(
      'Gateway',
      'gw',
      `spec: {selector: {istio: gw}, servers: [{port: {number: ${80 + next(2)}, name: http, protocol: HTTP}, hosts: [${pick(['"*"', 'a.default.svc.cluster.local'], next)}]}]}`,
    ),
  (next) =>
    doc(
      'Sidecar',
      `s${next(2)}`,
      `spec: {egress: [{hosts: ${pick(['["*/*"]', '["./*"]', '["*/*.example.com", "./a.default.svc.cluster.local"]'], next)}}]}`,
    ),
  (next) =>
    doc(
      'Sidecar',
      'ingress',
      `spec: {workloadSelector: {labels: {app: ${pick(['a', 'b', 'none'], next)}}}, ingress: [{port: {number: ${8080 + next(2)}, protocol: ${pick(['HTTP', 'TCP'], next)}, name: p}, defaultEndpoint: "127.0.0.1:9"}]}`,
    ),
  (next) =>
    doc(
      'PeerAuthentication',
      `p${next(3)}.${pick(['default', 'istio-system'], next)}`,
      `spec: {mtls: {mode: ${pick(['STRICT', 'DISABLE', 'PERMISSIVE', 'UNSET'], next)}}${yes(next, 2, `, selector: {matchLabels: {app: ${pick(['a', 'b', 'none'], next)}}}, portLevelMtls: {${8080 + next(2)}: {mode: ${pick(['STRICT', 'DISABLE'], next)}}}`)}}`,
    ),
  (next) => {
    const rule = pick(
      [
        '{to: [{operation: {methods: [GET]}}]}',
        '{from: [{source: {namespaces: [other]}}]}',
        '{to: [{operation: {ports: ["8080"]}}]}',
        '{}',
      ],
      next,
    );
    const selector = yes(next, 2, `selector: {matchLabels: {${pick(['app: none', 'istio: gw', 'app: a'], next)}}}, `);
    const action = pick(['ALLOW', 'DENY', 'AUDIT', 'CUSTOM, provider: {name: authorizer}'], next);
    return doc('AuthorizationPolicy', `p${next(4)}`, `spec: {${selector}action: ${action}, rules: [${rule}]}`).replace(
      'networking.istio.io',
      'security.istio.io',
    );
  },
  (next) => {
    const uri = `${pick(['http', 'https'], next)}://${pick(['dns.example.com', 'sel.example.com', 'nobody.example.com'], next)}/keys`;
    return doc('RequestAuthentication', `t${next(2)}`, `spec: {jwtRules: [{issuer: i, jwksUri: "${uri}"}]}`).replace(
      'networking.istio.io',
      'security.istio.io',
    );
  },
  (next) => {
    const more = yes(next, 2, `, {name: two, port: ${80 + next(2)}, protocol: HTTP, hostname: "*.example.com"}`);
    const spec = `{gatewayClassName: fairlead, listeners: [{name: http, port: ${80 + next(2)}, protocol: ${pick(['HTTP', 'HTTP', 'TCP'], next)}}${more}]}`;
    return api('Gateway', 'web', spec);
  },
  (next) => {
    const parent = pick(['{name: web}', '{name: web, sectionName: two}', '{group: "", kind: Service, name: a}'], next);
    const names = yes(next, 2, `, hostnames: ["${pick(['*.example.com', 'a.example.com', 'x.example.org'], next)}"]`);
    const rule = (): string => {
      const match = yes(next, 2, `matches: [{path: {value: /${next(3)}}${yes(next, 2, ', method: GET')}}], `);
      const filter = pick(
        [
          '',
          'filters: [{type: URLRewrite, urlRewrite: {hostname: new.example.com}}], ',
          'filters: [{type: RequestRedirect, requestRedirect: {hostname: b.test}}], ',
        ],
        next,
      );
      const other = yes(next, 2, `, {name: ${pick(['b', 'nobody'], next)}, port: 80}`);
      return `{${match}${filter}backendRefs: [{name: a, port: ${pick([80, 80, 81], next)}}${other}]}`;
    };
    return api('HTTPRoute', `h${next(4)}`, `{parentRefs: [${parent}]${names}, rules: ${list(next, 3, rule)}}`);
  },
  (next) => api('TCPRoute', 't', `{parentRefs: [{name: web}], rules: [{backendRefs: [{name: ${pick(['a', 'b'], next)}, port: 80}]}]}`),
  (next) => doc('Telemetry', 'logs', `spec: {accessLogging: [{disabled: ${next(2) === 0}}]}`),
  (next) =>
    `---\napiVersion: v1\nkind: Namespace\nmetadata: {name: default, annotations: {networking.istio.io/traffic-distribution: ${pick(['PreferClose', 'Any'], next)}}}\n`,
];

const key = (r: Resource): string => `${r.kind}/${r.metadata.name}`;

/** `resources` after a random change of any kind: of routing, of what bears endpoints, of both, or of nothing but the order. */
export async function changedInAnyWay(resources: readonly Resource[], next: Next): Promise<Resource[]> {
  if (next(3) === 0) return changed(resources, next);
  let out = [...resources];
  for (let times = 1 + next(3); times > 0; times--) {
    const at = next(out.length);
    if (next(4) === 0) {
      const { metadata, kind } = out[at]!;
      if (metadata.name !== 'own' && !(kind === 'Service' && metadata.name === 'a')) out.splice(at, 1);
      continue;
    }
    if (next(12) === 0) {
      out.push(out.splice(at, 1)[0]!);
      continue;
    }
    // What no file may say is not tried.
    const [made] = await resourcesOf(makers[next(makers.length)]!(next)).catch(() => []);
    if (made === undefined) continue;
    const place = out.findIndex((r) => key(r) === key(made));
    out = place === -1 ? [...out, made] : out.with(place, made);
  }
  return next(6) === 0 ? changed(out, next) : out;
}
