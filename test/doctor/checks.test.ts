/** Each check fails for what it is about, and for that alone. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { installDoctor, meshDoctor } from '../../src/doctor/checks/all.ts';
import type { MachineProbes, MeshProbes, StatusFacts } from '../../src/doctor/probes.ts';
import { runChecks } from '../../src/doctor/run-checks.ts';
import type { CheckResult } from '../../src/doctor/types.ts';

const NOW = Date.UTC(2026, 5, 1);
const GIB = 1024 ** 3;

const status: StatusFacts = {
  version: '1.0.0',
  pid: 7,
  engine: { engine: 'embedded', engineVersion: '1.0.0', state: 'running', since: NOW, restarts: 0, lastExit: undefined },
  config: { state: 'accepted', files: 1, resources: 3, problems: [] },
  proxies: [
    {
      name: 'web.default',
      type: 'sidecar',
      sync: 'SYNCED',
      problems: [],
      listening: [{ address: '127.0.0.1:15001', purpose: 'http-proxy' }],
      resources: { listeners: 1, routes: 1, clusters: 2, endpoints: 1 },
    },
  ],
};

const well: MeshProbes = {
  dataDirectory: async () => ({ path: '/d', exists: true, mode: 0o40700, mine: true, unwritable: undefined, free: 9 * GIB, files: [] }),
  clock: async () => ({ now: NOW, built: NOW - 1000, moved: 50, elapsed: 50 }),
  version: '1.0.0',
  agent: 'unix:/d/agent.sock',
  status: async () => status,
  ready: async () => 'LIVE',
  certificates: async () => [],
  clusters: async () => [{ proxy: 'web.default', name: 'outbound|80||a.b', hosts: [{ address: '10.0.0.1:80', healthy: true, why: '' }] }],
  connect: async () => undefined,
  metrics: async () => 10,
  accessLogs: async () => [],
};

async function findings(probes: Partial<MeshProbes>): Promise<CheckResult[]> {
  const report = await runChecks(meshDoctor, { ...well, ...probes }, { skip: [], now: () => 0 });
  return report.checks.filter((c) => c.state === 'failed' || c.state === 'warning' || c.state === 'broken');
}

const directory = (change: object) => async () => ({ ...(await well.dataDirectory()), ...change });
const file = { name: 'key.pem', mode: 0o100600, socket: false, mine: true, modified: NOW - 5000 };
const withStatus = (change: object) => ({ status: async () => ({ ...status, ...change }) as StatusFacts });
const proxy = status.proxies[0]!;
const problem = { severity: 'error', rule: 'x', message: 'no such field', position: { file: 'a.yaml', line: 4, column: 2 } };
const host = (healthy: boolean, address = '10.0.0.1:80') => ({ address, healthy, why: healthy ? '' : 'is UNHEALTHY' });
const clusters = (...hosts: ReturnType<typeof host>[]) => ({
  clusters: async () => [{ proxy: 'web.default', name: 'outbound|80|v1|a.b', hosts }],
});

const cases: [name: string, probes: Partial<MeshProbes>, expected: string, words: RegExp][] = [
  [
    'an unwritable directory',
    { dataDirectory: directory({ unwritable: 'permission denied' }) },
    'data/directory failed',
    /\/d: permission denied/,
  ],
  ['no directory', { dataDirectory: directory({ exists: false }) }, 'data/directory warning', /no agent has run/],
  ['a directory that others read', { dataDirectory: directory({ mode: 0o40755 }) }, 'data/permissions failed', /0755, not 0700/],
  [
    'a key that others read',
    { dataDirectory: directory({ files: [{ ...file, mode: 0o100644 }] }) },
    'data/permissions failed',
    /key\.pem is 0644/,
  ],
  [
    'a socket that others write',
    { dataDirectory: directory({ files: [{ ...file, socket: true, mode: 0o140777 }] }) },
    'data/permissions failed',
    /0777/,
  ],
  ['little space', { dataDirectory: directory({ free: 300 * 1024 ** 2 }) }, 'data/space warning', /300 MiB/],
  ['no space', { dataDirectory: directory({ free: 1024 ** 2 }) }, 'data/space failed', /1 MiB/],
  ['a clock of 1970', { clock: async () => ({ now: 1000, built: NOW, moved: 50, elapsed: 50 }) }, 'clock/sane failed', /1970/],
  [
    'a clock that went back',
    { dataDirectory: directory({ files: [{ ...file, modified: NOW + 3_600_000 }] }) },
    'clock/sane warning',
    /went back/,
  ],
  ['a clock that jumps', { clock: async () => ({ now: NOW, built: 0, moved: 90_000, elapsed: 50 }) }, 'clock/sane warning', /90000 ms/],
  ['an agent of another version', { version: '2.0.0' }, 'agent/version warning', /agent is 1\.0\.0, this command line 2\.0\.0/],
  [
    'an expired certificate',
    { certificates: async () => [{ proxy: 'web.default', name: 'spiffe://x', notAfter: NOW - 1 }] },
    'certificates/expiry failed',
    /spiffe:\/\/x expired/,
  ],
  [
    'a certificate that expires soon',
    { certificates: async () => [{ proxy: 'w.d', name: 'x', notAfter: NOW + 86_400_000 }] },
    'certificates/expiry warning',
    /expires 2026/,
  ],
  [
    'a certificate that is not renewed',
    {
      certificates: async () => [
        { proxy: 'w.d', name: 'spiffe://x', notAfter: NOW + 3_600_000, renewal: { state: 'expiring', why: 'the CA is away' } },
        { proxy: 'w.d', name: 'spiffe://y', notAfter: NOW + 3_600_000, renewal: { state: 'valid', why: undefined } },
      ],
    },
    'certificates/expiry warning',
    /w\.d: spiffe:\/\/x expires .*: the CA is away$/,
  ],
  [
    'a certificate that was never issued',
    { certificates: async () => [{ proxy: 'w.d', name: 'spiffe://x', notAfter: undefined, renewal: { state: 'missing', why: 'no CA' } }] },
    'certificates/expiry failed',
    /spiffe:\/\/x was never issued: no CA/,
  ],
  [
    'a Secret that is not there',
    withStatus({
      identity: {
        certificates: [],
        problems: [{ proxy: 'gw.d', name: 'kubernetes://x', message: 'there is no Secret d/x', serves: false }],
      },
    }),
    'certificates/present failed',
    /gw\.d: kubernetes:\/\/x: there is no Secret d\/x/,
  ],
  [
    'a data plane that backs off',
    withStatus({ engine: { ...status.engine, state: 'backing-off', restarts: 5, lastExit: 'signal SIGSEGV' } }),
    'proxy/running failed',
    /5 times \(last: signal SIGSEGV\)/,
  ],
  [
    'a restart',
    withStatus({ engine: { ...status.engine, restarts: 1, lastExit: 'exit code 1' } }),
    'proxy/running warning',
    /restarted once/,
  ],
  [
    'a proxy that hangs',
    { ready: async () => Promise.reject(new Error('no answer within 10 s')) },
    'proxy/answers failed',
    /web\.default: no answer/,
  ],
  [
    'a refused configuration',
    withStatus({ config: { ...status.config, state: 'refused', problems: [problem] } }),
    'config/accepted failed',
    /a\.yaml:4:2: no such field/,
  ],
  [
    'a proxy that refused',
    withStatus({ proxies: [{ ...proxy, sync: 'STALE', problems: [problem] }] }),
    'config/applied failed',
    /web\.default is STALE.*a\.yaml:4:2/s,
  ],
  ['no proxy', { ...withStatus({ proxies: [] }) }, 'config/applied warning,listeners/bound warning', /nothing of the configuration runs/],
  [
    'a port nobody listens on',
    { connect: async (at) => (at.endsWith('15001') ? 'nobody listens there' : undefined) },
    'listeners/bound failed',
    /127\.0\.0\.1:15001 \(http-proxy of web\.default\)/,
  ],
  [
    'no routes',
    withStatus({ proxies: [{ ...proxy, resources: { ...proxy.resources, routes: 0 } }] }),
    'routes/present warning',
    /web\.default has none/,
  ],
  ['no clusters', { clusters: async () => [] }, 'clusters/present warning', /no cluster/],
  ['no endpoints', clusters(), 'endpoints/healthy failed', /a\.b:80 subset v1: no endpoints/],
  ['sick endpoints', clusters(host(false)), 'endpoints/healthy failed', /10\.0\.0\.1:80 is UNHEALTHY/],
  ['one sick endpoint', clusters(host(true), host(false, '10.0.0.2:80')), 'endpoints/healthy warning', /10\.0\.0\.2:80/],
  [
    'an endpoint that is away',
    {
      ...clusters(host(true), host(true, '10.0.0.2:80')),
      connect: async (at) => (at === '10.0.0.2:80' ? 'no route to the host' : undefined),
    },
    'upstreams/reachable warning',
    /10\.0\.0\.2:80 of a\.b:80 subset v1: no route/,
  ],
  ['no metrics', { metrics: async () => 0 }, 'telemetry/metrics warning', /none/],
  [
    'a log that cannot be written',
    { accessLogs: async () => [{ path: '/no/log', unwritable: '/no: it is not there' }] },
    'telemetry/access-logs warning',
    /\/no\/log/,
  ],
];

test('all is well', async () => {
  assert.equal(await findings({}), []);
});

for (const [name, probes, expected, words] of cases)
  test(name, async () => {
    const found = await findings(probes);
    assert.is(found.map((c) => `${c.id} ${c.state}`).join(','), expected);
    assert.match([found[0]?.message, ...(found[0]?.details ?? [])].join('\n'), words);
    assert.ok(found[0]?.next);
  });

test('connections to endpoints are bounded, and that is said', async () => {
  let most = 0;
  let now = 0;
  let all = 0;
  const hosts = Array.from({ length: 450 }, (_, i) => host(true, `10.0.${i >> 8}.${i & 255}:80`));
  const connect = async (): Promise<undefined> => {
    all++;
    most = Math.max(most, ++now);
    await new Promise((done) => setImmediate(done));
    now--;
  };
  const report = await runChecks(meshDoctor, { ...well, ...clusters(...hosts), connect }, { skip: ['listeners'], now: () => 0 });
  assert.ok(most <= 20, String(most));
  assert.is(all, 200);
  assert.match(report.checks.find((c) => c.id === 'upstreams/reachable')?.message ?? '', /250 more were not tried/);
});

const machine: MachineProbes = {
  dataDirectory: directory({ exists: false }),
  clock: well.clock,
  node: async () => ({ version: '24.1.0', wanted: 24 }),
  port: async () => undefined,
  envoy: async () => undefined,
  openFiles: async () => 65_536,
};

const installCases: [string, Partial<MachineProbes>, string][] = [
  ['a fresh machine', {}, ''],
  ['an old Node', { node: async () => ({ version: '20.9.0', wanted: 24 }) }, 'node/version failed'],
  ['a taken port', { port: async (p) => (p === 15_001 ? 'something listens there' : undefined) }, 'ports/free warning'],
  ['few files', { openFiles: async () => 2048 }, 'limits/open-files warning'],
  ['too few files', { openFiles: async () => 256 }, 'limits/open-files failed'],
  ['nowhere to write', { dataDirectory: directory({ exists: false, unwritable: 'it is not there' }) }, 'data/directory failed'],
];

for (const [name, probes, expected] of installCases)
  test(`before an install: ${name}`, async () => {
    const report = await runChecks(installDoctor, { ...machine, ...probes }, { skip: [], now: () => 0 });
    const bad = report.checks.filter((c) => c.state === 'failed' || c.state === 'warning');
    assert.is(bad.map((c) => `${c.id} ${c.state}`).join(','), expected);
  });

test.run();
