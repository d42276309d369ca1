/** Pods whose connections are redirected to their sidecars. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { injectPod } from '../../../src/install/inject/inject-pod.ts';
import type { ContainerJson, PodJson } from '../../../src/install/inject/pod.ts';
import { injectSettings } from '../../support/inject.ts';

const settings = { ...injectSettings, engine: 'envoy' as const };
const shop = { namespace: 'shop', strict: false };
const REDIRECT = { 'sidecar.istio.io/interceptionMode': 'REDIRECT' };
const TRAFFIC = 'traffic.sidecar.istio.io/';

const pod = (annotations: Record<string, string>, container: object = {}, spec: object = {}): PodJson => ({
  metadata: { name: 'web', annotations },
  spec: { containers: [{ name: 'app', image: 'app', ...container }], ...spec },
});

function injected(given: PodJson): {
  inits: ContainerJson[];
  containers: ContainerJson[];
  pod: PodJson;
  notes: readonly { text: string }[];
} {
  const result = injectPod(given, shop, settings);
  if (!result.injected) throw new Error(result.why);
  const { spec } = result.pod;
  return {
    pod: result.pod,
    notes: result.notes,
    inits: [...(spec?.initContainers ?? [])],
    containers: [...(spec?.containers ?? [])],
  };
}

const argsOf = (container: ContainerJson | undefined): string[] => (container?.['args'] ?? []) as string[];

const refused = (given: PodJson): string => {
  const result = injectPod(given, shop, settings);
  return result.injected ? 'injected' : `${result.wrong ? 'wrong' : 'no'} at ${result.at.join('.')}: ${result.why}`;
};

test('an init container with one capability sets the rules up, before the sidecar; applications get no proxy to ask', () => {
  const { inits, containers, pod: whole } = injected(pod(REDIRECT, {}, { initContainers: [{ name: 'migrate', image: 'm' }] }));
  assert.equal(
    inits.map(({ name }) => name),
    ['istio-init', 'istio-proxy', 'migrate'],
  );
  assert.equal(inits[0]?.['args'], [
    ...['agent', 'capture', 'apply', '--proxy-user', '10001', '--exclude-inbound-ports', '15020,15021,15090'],
  ]);
  assert.equal(inits[0]?.['securityContext'], {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    runAsNonRoot: false,
    capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] },
    seccompProfile: { type: 'RuntimeDefault' },
    privileged: false,
    runAsUser: 0,
    runAsGroup: 0,
  });
  assert.is(containers[0]?.env, undefined);
  const { annotations = {} } = whole.metadata ?? {};
  assert.is(annotations?.['sidecar.istio.io/interceptionMode'], 'REDIRECT');
  assert.is(annotations?.['fairlead.dev/http-proxy-port'], undefined);
  assert.equal(JSON.parse(annotations?.['sidecar.istio.io/status'] ?? '').initContainers, ['istio-init', 'istio-proxy']);
  assert.is(refused(whole), 'no at : it has a sidecar already');
});

test('the setting does it for all pods, and the annotation NONE takes one out', () => {
  const all = { ...settings, capture: 'redirect' as const };
  const one = injectPod(pod({}), shop, all);
  assert.is(one.injected && one.pod.spec?.initContainers?.[0]?.name, 'istio-init');
  const other = injectPod(pod({ 'sidecar.istio.io/interceptionMode': 'NONE' }), shop, all);
  assert.is(other.injected && other.pod.spec?.initContainers?.[0]?.name, 'istio-proxy');
});

test('before a sidecar among the containers the rules come last, so that init containers reach the network', () => {
  const { inits, containers } = injected(
    pod({ ...REDIRECT, 'sidecar.istio.io/nativeSidecar': 'false' }, {}, { initContainers: [{ name: 'migrate', image: 'm' }] }),
  );
  assert.equal(
    [inits.map(({ name }) => name), containers.map(({ name }) => name)],
    [
      ['migrate', 'istio-init'],
      ['istio-proxy', 'app'],
    ],
  );
});

test('annotations say what is captured', () => {
  const { inits, notes } = injected(
    pod({
      ...REDIRECT,
      [`${TRAFFIC}excludeInboundPorts`]: '9090, 22',
      [`${TRAFFIC}includeOutboundPorts`]: '31400',
      [`${TRAFFIC}excludeOutboundPorts`]: '3306',
      [`${TRAFFIC}includeOutboundIPRanges`]: '10.0.0.0/8,fd00::/8',
      [`${TRAFFIC}excludeOutboundIPRanges`]: '10.1.2.3',
      [`${TRAFFIC}excludeInterfaces`]: 'eth1',
      'status.sidecar.istio.io/port': '16020',
    }),
  );
  assert.equal(notes, []);
  assert.is(
    argsOf(inits[0]).slice(5).join(' '),
    '--exclude-inbound-ports 22,9090,15020,15021,15090,16020 --include-outbound-ports 31400 --exclude-outbound-ports 3306 ' +
      '--include-outbound-ranges 10.0.0.0/8,fd00::/8 --exclude-outbound-ranges 10.1.2.3/32 --exclude-interfaces eth1',
  );
  const { inits: none } = injected(pod({ ...REDIRECT, [`${TRAFFIC}includeInboundPorts`]: '', [`${TRAFFIC}includeOutboundIPRanges`]: '' }));
  assert.equal(argsOf(none[0]).slice(5), [
    ...['--include-inbound-ports', '', '--exclude-inbound-ports', '15020,15021,15090', '--include-outbound-ranges', ''],
  ]);
});

test('what cannot be had is refused with its place', () => {
  const annotated = (name: string, value: string): string => refused(pod({ ...REDIRECT, [name]: value }));
  const at = 'wrong at metadata.annotations.';
  assert.match(annotated('sidecar.istio.io/interceptionMode', 'TPROXY'), /NONE or REDIRECT, not "TPROXY"/);
  assert.ok(annotated(`${TRAFFIC}kubevirtInterfaces`, 'net1').startsWith(`${at}${TRAFFIC}kubevirtInterfaces: `));
  assert.ok(annotated('istio.io/reroute-virtual-interfaces', 'net1').startsWith(`${at}istio.io/reroute-virtual-interfaces: `));
  for (const [name, value] of [
    ['excludeInboundPorts', '80-90'],
    ['includeOutboundIPRanges', '10.0.0.0/33'],
    ['excludeOutboundIPRanges', 'db.example.com'],
    ['excludeInterfaces', 'eth 1'],
  ] as const)
    assert.ok(annotated(TRAFFIC + name, value).startsWith(`${at}${TRAFFIC}${name}: `), name);
  const sameUser = pod(REDIRECT, { securityContext: { runAsUser: 10001 } });
  assert.match(refused(sameUser), /^wrong at spec\.containers\.0\.securityContext\.runAsUser: its container app runs as user 10001/);
  assert.match(refused(pod(REDIRECT, {}, { securityContext: { runAsUser: 10001 } })), /^wrong at spec\.securityContext\.runAsUser/);
  assert.match(refused(pod(REDIRECT, { ports: [{ containerPort: 15006 }] })), /listens on 15006, which is a port of the sidecar/);
  assert.match(refused(pod(REDIRECT, {}, { initContainers: [{ name: 'istio-init', image: 'x' }] })), /^wrong at spec\.initContainers\.0/);
});

test('checks of the kubelet go to the agent, which knows them as they were', () => {
  const container = {
    ports: [{ name: 'web', containerPort: 8080 }],
    readinessProbe: { httpGet: { path: '/ready', port: 'web', httpHeaders: [{ name: 'Host', value: 'shop' }] }, periodSeconds: 3 },
    livenessProbe: { tcpSocket: { port: 9090 }, timeoutSeconds: 4 },
    startupProbe: { grpc: { port: 5000, service: 'shop' }, failureThreshold: 30 },
    lifecycle: { preStop: { httpGet: { path: '/stop', port: 8080 } }, postStart: { exec: { command: ['true'] } } },
  };
  const { inits, containers } = injected(pod(REDIRECT, container));
  const [app] = containers;
  assert.equal(app?.['readinessProbe'], { periodSeconds: 3, httpGet: { path: '/app-health/app/readyz', port: 15020 } });
  assert.equal(app?.['livenessProbe'], { timeoutSeconds: 4, httpGet: { path: '/app-health/app/livez', port: 15020 } });
  assert.equal(app?.['startupProbe'], { failureThreshold: 30, httpGet: { path: '/app-health/app/startupz', port: 15020 } });
  assert.equal(app?.['lifecycle'], {
    preStop: { httpGet: { path: '/app-lifecycle/app/prestopz', port: 15020 } },
    postStart: { exec: { command: ['true'] } },
  });
  const env = inits[1]?.env ?? [];
  assert.equal(JSON.parse(String(env.find(({ name }) => name === 'ISTIO_KUBE_APP_PROBERS')?.['value'])), {
    '/app-health/app/livez': { tcpSocket: { port: 9090 }, timeoutSeconds: 4 },
    '/app-health/app/readyz': { httpGet: { path: '/ready', port: 8080, httpHeaders: [{ name: 'Host', value: 'shop' }] } },
    '/app-health/app/startupz': { grpc: { port: 5000, service: 'shop' } },
    '/app-lifecycle/app/prestopz': { httpGet: { path: '/stop', port: 8080 } },
  });
});

test('checks stay as they are when the pod wants it, when they ask somewhere else, and without capture', () => {
  const container = { readinessProbe: { httpGet: { path: '/', port: 8080 } } };
  for (const annotations of [{ ...REDIRECT, 'sidecar.istio.io/rewriteAppHTTPProbers': 'false' }, {}])
    assert.equal(injected(pod(annotations, container)).containers[0]?.['readinessProbe'], container.readinessProbe);
  const elsewhere = {
    readinessProbe: { httpGet: { path: '/', port: 8080, host: '127.0.0.1' } },
    livenessProbe: { exec: { command: ['x'] } },
  };
  const [app] = injected(pod(REDIRECT, elsewhere)).containers;
  assert.equal([app?.['readinessProbe'], app?.['livenessProbe']], [elsewhere.readinessProbe, elsewhere.livenessProbe]);
  const unknown = injected(pod(REDIRECT, { readinessProbe: { tcpSocket: { port: 'nobody' } } }));
  assert.match(unknown.notes[0]?.text ?? '', /readinessProbe of app stays as it is/);
});

test.run();
