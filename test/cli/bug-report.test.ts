/** `fairlead bug-report` of a host: what goes in, what never does, and what becomes of the file when it cannot be written. */
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { BugReport } from '../../agent/bug-report.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { bin, fairlead, startFairlead } from '../support/cli.ts';
import { until } from '../support/http.ts';
import { service, startMesh, type TestMesh, testPort, workload } from '../support/mesh.ts';
import { holdsNone, openReport } from '../support/report.ts';
import { withScratch } from '../support/scratch.ts';

/** As people paste it by mistake: with its private part. */
const JWK = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });

const SECRETS = [
  'planted-in-a-secret',
  'planted-in-a-header',
  'planted-in-a-cookie-match',
  'planted-in-a-log',
  'planted-in-a-query',
  'planted-in-a-url',
  'planted-in-an-envoy-log',
  JWK.d as string,
  'MHcCAQEEIPlantedKeyMaterialThatNobodyMaySee',
];

const files = (backend: Backend): Record<string, string> => ({
  'shop.yaml': `${service('shop')}${workload('shop', { app: 'shop' }, backend.port, { 'fairlead.dev/http-proxy-port': String(testPort()) })}`,
  'secret.yaml': `apiVersion: v1
kind: Secret
metadata: { name: shop-cert }
stringData: { password: ${SECRETS[0]} }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: of-an-application }
data: { harmless-name: planted-in-a-configmap }
`,
  'routes.yaml': `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: shop
  annotations: { kubectl.kubernetes.io/last-applied-configuration: '{"spec":{"plain":"planted-in-a-copy"}}' }
spec:
  hosts: [shop]
  http:
  - match: [{ headers: { cookie: { regex: '.*${SECRETS[2]}.*' } } }]
    headers: { request: { set: { authorization: 'Bearer ${SECRETS[1]}', x-harmless: stays } } }
    route: [{ destination: { host: shop } }]
  - route: [{ destination: { host: shop } }]
`,
  'tokens.yaml': `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: tokens }
spec:
  selector: { matchLabels: { app: elsewhere } }
  jwtRules: [{ issuer: me, jwks: '${JSON.stringify({ keys: [{ ...JWK, kid: 'a', alg: 'ES256' }] })}' }]
`,
});

const LOG = `2026-01-01T00:00:00Z info it began
GET /x?access_token=${SECRETS[4]}&page=2 HTTP/1.1
connecting to redis://user:${SECRETS[5]}@cache:6379
password=${SECRETS[3]} page=3
'authorization', 'Bearer ${SECRETS[6]}'
-----BEGIN EC PRIVATE KEY-----
${SECRETS[8]}
-----END EC PRIVATE KEY-----
2026-01-01T00:00:01Z info it ended
`;

async function withReported(run: (mesh: TestMesh) => Promise<void>): Promise<void> {
  const backend = await startBackend('shop');
  const mesh = await startMesh(files(backend));
  try {
    appendFileSync(join(mesh.data, 'proxy.log'), LOG);
    await run(mesh);
  } finally {
    await mesh.close();
    await backend.close();
  }
}

/** Listens and never answers. */
async function withSilence(run: (address: string) => Promise<void>): Promise<void> {
  const sockets = new Set<{ destroy(): void }>();
  const server = createServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  try {
    await run(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

test(
  'everything of a host that helps, and none of its secrets',
  withScratch(async (folder) => {
    await withReported(async (mesh) => {
      const dry = await fairlead(['bug-report', '--dry-run', '--data', mesh.data], { cwd: folder });
      assert.is(dry.code, 0, dry.err);
      assert.is(mesh.agent.status().config.state, 'accepted', JSON.stringify(mesh.agent.status().config.problems));
      assert.match(dry.out, /would go in[\s\S]*proxies\/shop\.default\/config_dump\.json[\s\S]*logs\/proxy\.log/);
      assert.equal(readdirSync(folder), [], 'a dry run writes nothing');

      const { code, out, err } = await fairlead(['bug-report', '--data', mesh.data, '--output', 'r.tar.gz', '--json'], { cwd: folder });
      assert.is(code, 0, err);
      const told = JSON.parse(out) as BugReport;
      const archive = join(folder, 'r.tar.gz');
      assert.is(told.path, archive);
      assert.is(statSync(archive).mode & 0o777, 0o600);
      assert.is(statSync(archive).size, told.size);
      const report = openReport(archive, join(folder, 'opened'));
      for (const path of [
        'versions.json',
        'doctor.json',
        'agent/status.json',
        'agent/metrics.txt',
        'config/findings.json',
        'logs/proxy.log',
      ])
        assert.ok(report.files.has(path), path);
      assert.is(report.json<{ proxies: { name: string }[] }>('agent/status.json').proxies[0]?.name, 'shop.default');
      assert.match(report.files.get('proxies/shop.default/config_dump.json') ?? '', /shop\.default\.svc\.cluster\.local/);
      assert.match(report.files.get('config/default/VirtualService.json') ?? '', /"x-harmless": "stays"/);
      assert.match(report.files.get('logs/proxy.log') ?? '', /it began[\s\S]*access_token=\[redacted\]&page=2[\s\S]*page=3[\s\S]*it ended/);
      assert.not.ok([...report.files.keys()].some((path) => path.includes('Secret')));
      holdsNone(report, [...SECRETS, 'planted-in-a-configmap', 'planted-in-a-copy']);
      assert.ok(report.manifest.redacted >= SECRETS.length - 1, `${report.manifest.redacted} taken out`);
      assert.equal(readdirSync(folder).sort(), ['opened', 'r.tar.gz']);

      const again = await fairlead(['bug-report', '--data', mesh.data, '--output', 'r.tar.gz'], { cwd: folder });
      assert.is(again.code, 3);
      assert.match(again.err, /r\.tar\.gz: it is there already/);
    });
  }),
);

test(
  'no agent, or one that hangs, leaves the rest',
  withScratch(async (folder, write) => {
    write('mesh/shop.yaml', service('shop'));
    write('data/proxy.log', LOG);
    await withSilence(async (address) => {
      const args = ['bug-report', '--agent', address, '--timeout', '500ms', '-f', 'mesh', '--data', 'data', '--output', 'r.tar.gz'];
      const { code, out, err } = await fairlead(args, { cwd: folder });
      assert.is(code, 0, err);
      assert.match(out, /agent\/: no agent answers at http:\/\/127\.0\.0\.1:\d+: no answer within 0\.5 s/);
      const report = openReport(join(folder, 'r.tar.gz'), join(folder, 'opened'));
      assert.ok(report.files.has('config/default/Service.json') && report.files.has('logs/proxy.log'));
      assert.ok(report.manifest.leftOut.some(({ path }) => path === 'agent/'));
    });
  }),
);

test(
  'it never grows beyond its limit, and says what found no room',
  withScratch(async (folder, write) => {
    // Random bytes do not become smaller.
    for (const name of ['a', 'b', 'c'])
      write(`data/${name}.log`, `begin\n${randomBytes(400_000).toString('base64').replaceAll('/', '\n')}\nend of ${name}\n`);
    const { code, err } = await fairlead(
      ['bug-report', '--agent', 'http://127.0.0.1:1', '--data', 'data', '--max-size', '1Mi', '--log-size', '450k', '--output', 'r.tar.gz'],
      { cwd: folder },
    );
    assert.is(code, 0, err);
    assert.ok(statSync(join(folder, 'r.tar.gz')).size <= 2 ** 20);
    const { files, manifest } = openReport(join(folder, 'r.tar.gz'), join(folder, 'opened'));
    const logs = ['a', 'b', 'c'].filter((name) => files.has(`logs/${name}.log`));
    assert.ok(logs.length > 0 && logs.length < 3, `${logs} went in`);
    assert.is(manifest.leftOut.filter(({ why }) => /no room left \(--max-size\)/.test(why)).length, 3 - logs.length);
    const [first] = logs;
    assert.match(files.get(`logs/${first}.log`) ?? '', new RegExp(`end of ${first}`));
    assert.not.match(files.get(`logs/${first}.log`) ?? '', /^begin/);
    assert.match(manifest.files.find(({ path }) => path === `logs/${first}.log`)?.note ?? '', /the last \d+ KiB of more/);
  }),
);

test(
  'Ctrl-C leaves no file',
  withScratch(async (folder) => {
    await withSilence(async (address) => {
      const running = startFairlead(['bug-report', '--agent', address, '--output', join(folder, 'r.tar.gz')]);
      await until('it has begun', () => readdirSync(folder).length > 0);
      running.child.kill('SIGINT');
      assert.is(await running.ended, 130);
      assert.equal(readdirSync(folder), []);
      assert.is(running.err(), '');
    });
  }),
);

test(
  'what cannot be written is a clear error, and no half of it stays',
  withScratch(async (folder, write) => {
    write('data/big.log', randomBytes(200_000).toString('base64'));
    write('file', '');
    for (const [output, why] of [
      ['nowhere/r.tar.gz', /the folder is not there/],
      ['file/r.tar.gz', /a part of the path is a file/],
      ['/proc/r.tar.gz', /cannot be written to \/proc\/r\.tar\.gz: /],
    ] as const) {
      const { code, err } = await fairlead(['bug-report', '--agent', 'http://127.0.0.1:1', '--output', output], { cwd: folder });
      assert.is(code, 3, err);
      assert.match(err, why);
      assert.not.match(err, /\n\s+at /);
    }
    mkdirSync(join(folder, 'full'));
    // Of 512 bytes each: what the file system would say of a full disk comes in the middle of the work.
    const limited = `ulimit -f 40; trap '' XFSZ; exec "$0" "$1" bug-report --agent http://127.0.0.1:1 --data data --output full/r.tar.gz`;
    const full = spawnSync('bash', ['-c', limited, process.execPath, bin], { cwd: folder, encoding: 'utf8' });
    assert.is(full.status, 3, full.stdout + full.stderr);
    assert.match(full.stderr, /cannot be written to .*full\/r\.tar\.gz: a file may not become that large/);
    assert.equal(readdirSync(join(folder, 'full')), []);
  }),
);

test(
  'wrong values are said before anything is asked',
  withScratch(async (folder) => {
    for (const [args, said] of [
      ['--since yesterday', /--since "yesterday" is not a length of time/],
      ['--max-size many', /--max-size "many" is no size/],
      ['--max-size 1k', /--max-size "1k" is less than 1Mi/],
      ['--include shop', /--kubernetes/],
      ['--output -', /not to standard output/],
    ] as const) {
      const { code, err } = await fairlead(['bug-report', ...args.split(' ')], { cwd: folder });
      assert.is(code, 2, err);
      assert.match(err, said);
    }
    assert.not.ok(existsSync(join(folder, '-')));
  }),
);

test.run();
