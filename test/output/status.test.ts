/** What `up`, `agent status` and `proxy-status` print. */
import { stripVTControlCharacters } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { age, agentStatusText, proxyStatusText, type ShownStatus } from '../../src/output/agent-status.ts';
import { changeText, meshText } from '../../src/output/up.ts';

const NOW = 1_000_000_000;

const status: ShownStatus = {
  version: '1.2.3',
  pid: 10,
  engine: {
    engine: 'embedded',
    engineVersion: '1.2.3',
    state: 'running',
    pid: 11,
    since: NOW - 90_000,
    restarts: 1,
    lastExit: 'killed by SIGKILL',
  },
  config: { state: 'accepted', at: NOW - 5000, files: 2, resources: 7, problems: [] },
  proxies: [
    {
      name: 'ingressgateway.default',
      type: 'router',
      sync: 'SYNCED',
      version: 'a',
      since: NOW - 5000,
      problems: [],
      listening: [
        { address: '0.0.0.0:8080', purpose: 'gateway' },
        { address: '0.0.0.0:8443', purpose: 'gateway' },
        { address: '0.0.0.0:31400', purpose: 'gateway' },
      ],
      resources: { listeners: 3, routes: 1, clusters: 4, endpoints: 3 },
    },
    {
      name: 'web.default',
      type: 'sidecar',
      sync: 'ERROR',
      version: 'b',
      since: NOW - 7_200_000,
      problems: [],
      listening: [{ address: '127.0.0.1:15001', purpose: 'http-proxy' }],
      resources: { listeners: 1, routes: 1, clusters: 4, endpoints: 3 },
    },
    {
      name: 'quiet.default',
      type: 'sidecar',
      sync: 'SYNCED',
      version: 'c',
      since: NOW,
      problems: [],
      listening: [],
      resources: { listeners: 0, routes: 0, clusters: 1, endpoints: 0 },
    },
  ],
};

test('the mesh at 200 columns', () => {
  assert.is(
    meshText(status, 'http://127.0.0.1:15000', ['mesh'], { color: false, width: 200 }),
    `fairlead 1.2.3  mesh: 2 files, 7 resources; engine embedded

PROXY                    SEND REQUESTS TO
ingressgateway.default   0.0.0.0:8080 (gateway), 0.0.0.0:8443 (gateway), 0.0.0.0:31400 (gateway)
web.default              HTTP_PROXY=http://127.0.0.1:15001
quiet.default            nothing listens

agent API http://127.0.0.1:15000
try: curl -x http://127.0.0.1:15001 http://SERVICE:PORT/
Ctrl-C ends it; saved changes apply at once

`,
  );
});

test('the mesh at 80 columns: addresses one below the other, no line cut', () => {
  const text = meshText(status, undefined, ['mesh'], { color: false, width: 80 });
  assert.ok(
    text.includes(`
ingressgateway.default   0.0.0.0:8080 (gateway)
                         0.0.0.0:8443 (gateway)
                         0.0.0.0:31400 (gateway)
web.default              HTTP_PROXY=http://127.0.0.1:15001
`),
    text,
  );
  for (const line of text.split('\n')) assert.ok(line.length <= 80, line);
});

test('piped, width is no matter; colours change nothing but colours', () => {
  const wide = meshText(status, undefined, ['mesh'], { color: false, width: undefined });
  assert.match(wide, /8080 .*8443 .*31400/);
  assert.is(stripVTControlCharacters(meshText(status, undefined, ['mesh'], { color: true, width: undefined })), wide);
});

test('agent status', () => {
  assert.is(
    agentStatusText(status, NOW),
    `agent   1.2.3, process 10
engine  embedded 1.2.3, running, process 11 for 90s, 1 restart (last: killed by SIGKILL)
config  accepted 5s ago, 2 files, 7 resources

PROXY                    TYPE      SYNC     SINCE   LISTENING
ingressgateway.default   router    SYNCED   5s      0.0.0.0:8080 gateway, 0.0.0.0:8443 gateway, 0.0.0.0:31400 gateway
web.default              sidecar   ERROR    2h      127.0.0.1:15001 http-proxy
quiet.default            sidecar   SYNCED   0s      -`,
  );
  const problems = [{ severity: 'error' as const, rule: 'x', message: 'y' }];
  const down = { ...status, proxies: [], engine: { ...status.engine, state: 'backing-off', pid: undefined } };
  assert.is(
    agentStatusText({ ...down, config: { ...status.config, state: 'refused', files: 1, problems } }, NOW),
    `agent   1.2.3, process 10
engine  embedded 1.2.3, backing-off, 1 restart (last: killed by SIGKILL)
config  refused 5s ago, 1 file, 7 resources, 1 error`,
  );
});

test('proxy-status in istioctl’s columns', () => {
  assert.is(
    proxyStatusText(status, NOW, true),
    `NAME                     CLUSTER      CDS           LDS           EDS           RDS           ISTIOD           VERSION
ingressgateway.default   Kubernetes   SYNCED (5s)   SYNCED (5s)   SYNCED (5s)   SYNCED (5s)   fairlead-agent   embedded-1.2.3
web.default              Kubernetes   ERROR (2h)    ERROR (2h)    ERROR (2h)    ERROR (2h)    fairlead-agent   embedded-1.2.3
quiet.default            Kubernetes   SYNCED (0s)   NOT SENT      NOT SENT      NOT SENT      fairlead-agent   embedded-1.2.3`,
  );
  assert.match(proxyStatusText(status, NOW, false), /^NAME {21}CLUSTER {6}ISTIOD .* SUBSCRIBED TYPES +SYNC +SINCE$/m);
  assert.match(proxyStatusText(status, NOW, false), /4 \(CDS,LDS,EDS,RDS\) +(SYNCED|STALE|ERROR) +\d+[smhd]$/m);
});

test('one line after each change', () => {
  const config = { took: 12.4 };
  const text = (event: Parameters<typeof changeText>[0]): string => changeText(event, status, false);
  assert.is(text({ type: 'accepted', config, changed: [1], removed: [] }), 'applied in 12 ms: 1 proxy of 3 changed\n');
  assert.is(text({ type: 'accepted', config, changed: [], removed: [] }), 'applied in 12 ms: nothing changes for any proxy\n');
  assert.is(
    text({ type: 'accepted', config, changed: [1, 2], removed: ['x'] }),
    'applied in 12 ms: 2 proxies of 3 changed, 1 proxy removed\n',
  );
  assert.is(text({ type: 'refused', config }), 'refused after 12 ms: the last good configuration runs on\n');
  const node = { name: 'web', namespace: 'default' };
  assert.match(text({ type: 'proxy-refused', proxy: { node, applied: {} } }), /web\.default: its last good configuration runs on/);
  assert.match(text({ type: 'proxy-refused', proxy: { node, applied: undefined } }), /web\.default: it does not run/);
});

test('ages', () => {
  assert.equal(
    [0, 119_000, 120_000, 7_199_000, 7_200_000, 172_799_000, 172_800_000, -5].map((ms) => age(NOW - ms, NOW)),
    ['0s', '119s', '2m', '120m', '2h', '48h', '2d', '0s'],
  );
});

test('proxy-status of an agent that has not read its configuration yet says so', () => {
  const starting = { ...status, config: { ...status.config, state: 'loading' }, proxies: [] };
  assert.is(proxyStatusText(starting, NOW, false), 'the agent is starting: it reads the configuration');
  assert.match(proxyStatusText({ ...status, proxies: [] }, NOW, false), /^NAME/);
});

test('certificates: until when, the next renewal, the last error; what is missing is said below', () => {
  const at = (ms: number): string => new Date(NOW + ms).toISOString();
  const hour = 3_600_000;
  const certificate = { identity: 'spiffe://cluster.local/ns/default/sa/web', proxies: ['web.default'] };
  const identity = {
    ca: 'the CA at ca.example.com:15012',
    agent: { identity: 'spiffe://cluster.local/fairlead/node/vm-1', notAfter: at(20 * hour), nextRenewal: at(8 * hour) },
    certificates: [
      { ...certificate, state: 'valid', notAfter: at(23 * hour), nextRenewal: at(11 * hour), lastError: undefined },
      {
        ...certificate,
        identity: 'spiffe://cluster.local/ns/default/sa/orders',
        proxies: [],
        state: 'expired',
        notAfter: at(-hour),
        nextRenewal: at(-hour),
        lastError: { at: at(-5000), message: 'the CA is away' },
      },
    ],
    problems: [{ proxy: 'edge.default', name: 'kubernetes://shop', message: 'there is no Secret default/shop', serves: false }],
  };
  const text = agentStatusText({ ...status, identity }, NOW);
  assert.is(
    text.slice(text.indexOf('certificates by')),
    `certificates by the CA at ca.example.com:15012
CERTIFICATE                                   STATE     EXPIRES IN   RENEWAL   PROXIES
spiffe://cluster.local/fairlead/node/vm-1     VALID     20h          in 8h     the agent itself
spiffe://cluster.local/ns/default/sa/web      VALID     23h          in 11h    web.default
spiffe://cluster.local/ns/default/sa/orders   EXPIRED   expired      now       -
  spiffe://cluster.local/ns/default/sa/orders: not renewed, 5s ago: the CA is away
  edge.default: kubernetes://shop: there is no Secret default/shop`,
  );
  const none = { ...identity, certificates: [], problems: [], agent: undefined };
  assert.not.match(agentStatusText({ ...status, identity: none as never }, NOW), /certificates/);
});

test.run();
