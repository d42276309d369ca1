/** The commands themselves: computed, live and saved config print the same tables. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import ProxyConfigAll from '../../../commands/proxy-config/all.ts';
import ProxyConfigBootstrap from '../../../commands/proxy-config/bootstrap.ts';
import ProxyConfigCluster from '../../../commands/proxy-config/cluster.ts';
import ProxyConfigEcds from '../../../commands/proxy-config/ecds.ts';
import ProxyConfigEds from '../../../commands/proxy-config/eds.ts';
import ProxyConfigEndpoint from '../../../commands/proxy-config/endpoint.ts';
import ProxyConfigListener from '../../../commands/proxy-config/listener.ts';
import ProxyConfigLog from '../../../commands/proxy-config/log.ts';
import ProxyConfigRoute from '../../../commands/proxy-config/route.ts';
import { computedDump } from '../../../src/cli/computed-dump.ts';
import { packSections } from '../../../src/envoy/dump/config-dump.ts';
import { dumpQuery, filterDump } from '../../../src/envoy/dump/filter-dump.ts';
import { loadWire } from '../../../src/envoy/wire.ts';
import { FairleadError } from '../../../src/errors.ts';

const config = `
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: web, labels: { app: web } }
spec: { address: 127.0.0.1 }
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: a }
spec:
  hosts: [a.example]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{ number: 80, name: http, protocol: HTTP }]
  endpoints:
    - { address: 10.0.0.1, labels: { version: v1 }, locality: r1/z1 }
    - { address: 10.0.0.2, labels: { version: v2 } }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: a }
spec:
  host: a.example
  subsets:
    - { name: v1, labels: { version: v1 } }
    - { name: v2, labels: { version: v2 } }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: a }
spec:
  hosts: [a.example]
  http:
    - match: [{ uri: { prefix: /v2 } }]
      route: [{ destination: { host: a.example, subset: v2 } }]
    - route: [{ destination: { host: a.example, subset: v1 } }]
`;

const folder = mkdtempSync(join(tmpdir(), 'fairlead-'));
const mesh = join(folder, 'mesh.yaml');
const socket = join(folder, 'agent.sock');
writeFileSync(mesh, config);

/** An agent's admin API with one proxy, in Envoy's own form. */
async function fakeAgent(levels: string[]): Promise<Server> {
  const dump = await computedDump({ paths: [mesh], proxy: 'web', version: '0.0.0' }, () => undefined);
  const whole = packSections(dump.sections);
  const wire = await loadWire();
  const server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://agent');
    const path = url.pathname.replace(/^\/proxies\/web(\.default)?/, '');
    if (path === '/config_dump') {
      const result = filterDump(whole, dumpQuery(url.searchParams));
      response.end(JSON.stringify('dump' in result ? wire.toSnake('envoy.admin.v3.ConfigDump', result.dump) : result));
    } else if (path === '/clusters') {
      const host = {
        address: { socket_address: { address: '10.0.0.1', port_value: 80 } },
        health_status: { eds_health_status: 'HEALTHY', failed_outlier_check: true },
      };
      response.end(JSON.stringify({ cluster_statuses: [{ name: 'outbound|80|v1|a.example', host_statuses: [host] }] }));
    } else if (path === '/logging' && request.method === 'POST') {
      levels.push(url.search);
      response.end('active loggers:\n  http: debug\n  upstream: warning\n');
    } else {
      const error = { code: 'E_PROXY_UNKNOWN', message: 'no such proxy runs on this node', known: ['web.default'] };
      response.writeHead(404).end(JSON.stringify({ error }));
    }
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return server;
}

interface CommandClass {
  run(argv: string[], options: { root: string }): Promise<unknown>;
}

/** Runs a command in this process and returns what it printed. */
async function printed(command: CommandClass, ...argv: string[]): Promise<string> {
  const write = process.stdout.write;
  let out = '';
  process.stdout.write = ((text: string) => {
    out += text;
    return true;
  }) as typeof write;
  try {
    await command.run(argv, { root: process.cwd() });
  } finally {
    process.stdout.write = write;
  }
  return out;
}

async function refusal(command: CommandClass, ...argv: string[]): Promise<FairleadError> {
  try {
    await printed(command, ...argv);
  } catch (error) {
    if (error instanceof FairleadError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

const levels: string[] = [];
const agent = await fakeAgent(levels);
const live = ['--agent', `unix:${socket}`];
const offline = ['-f', mesh];

test.after(() => {
  agent.close();
  agent.closeAllConnections();
  rmSync(folder, { recursive: true });
});

test('routes name their VirtualService', async () => {
  const lines = (await printed(ProxyConfigRoute, 'web', ...offline)).split('\n');
  assert.match(lines[0]!, /^NAME +VHOST NAME +DOMAINS +MATCH +VIRTUAL SERVICE$/);
  assert.match(lines[1]!, /^http_proxy +a\.example:80 +a\.example, a\.example\. +\/v2\* +a\.default$/);
  assert.ok(lines.some((l) => l.endsWith('/*        a.default')));
});

test('computed, live and saved config print the same tables', async () => {
  const saved = join(folder, 'saved.json');
  writeFileSync(saved, await printed(ProxyConfigAll, 'web.default', ...live, '-o', 'json'));
  for (const command of [ProxyConfigRoute, ProxyConfigCluster, ProxyConfigListener, ProxyConfigEds] as CommandClass[]) {
    const table = await printed(command, 'web', ...offline);
    assert.ok(table.split('\n').length > 2);
    assert.is(await printed(command, 'web', ...live), table);
    assert.is(await printed(command, '--file', saved), table);
    assert.is(await printed(command, '--proxy', 'web.default', ...offline), table);
  }
  assert.is(await printed(ProxyConfigAll, '--file', saved), await printed(ProxyConfigAll, 'web', ...live));
});

test('endpoints of a live proxy are those it uses now', async () => {
  assert.match(await printed(ProxyConfigEndpoint, 'web', ...live), /^10\.0\.0\.1:80 +HEALTHY +FAILED +outbound\|80\|v1\|a\.example$/m);
  assert.is((await printed(ProxyConfigEndpoint, 'web', ...offline)).trim().split('\n').length, 5);
  assert.is((await printed(ProxyConfigEndpoint, 'web', ...offline, '--address', '10.0.0.2')).trim().split('\n').length, 3);
});

test('JSON and YAML are Envoy’s objects', async () => {
  const clusters = JSON.parse(await printed(ProxyConfigCluster, 'web', ...live, '-o', 'json', '--subset', 'v1'));
  assert.equal(
    clusters.map((c: { name: string; type: string }) => [c.name, c.type]),
    [['outbound|80|v1|a.example', 'EDS']],
  );
  assert.match(await printed(ProxyConfigListener, 'web', ...offline, '-o', 'yaml'), /^- name: 127\.0\.0\.1_15001$/m);
  assert.match(
    await printed(ProxyConfigBootstrap, 'web', ...offline),
    /"id": "sidecar~127\.0\.0\.1~web\.default~default\.svc\.cluster\.local"/,
  );
  assert.match(await printed(ProxyConfigBootstrap, 'web', ...offline, '-o', 'short'), /^Fairlead Version: \d/);
});

test('log levels are read and set by POST', async () => {
  assert.is(await printed(ProxyConfigLog, 'web', ...live), 'active loggers:\n  http: debug\n  upstream: warning\n');
  await printed(ProxyConfigLog, 'web', ...live, '--level', 'http:debug,upstream:trace');
  await printed(ProxyConfigLog, 'web', ...live, '--reset');
  assert.equal(levels, ['', '?http=debug', '?upstream=trace', '?level=warning']);
  assert.is((await refusal(ProxyConfigLog, 'web', ...live, '--level', 'http:loud')).code, 'E_USAGE');
});

test('what cannot be shown says why and what to do', async () => {
  const unknown = await refusal(ProxyConfigRoute, 'nobody', ...offline);
  assert.is(unknown.code, 'E_PROXY_UNKNOWN');
  assert.match(unknown.next!, 'web.default');
  assert.is((await refusal(ProxyConfigRoute, 'nobody', ...live)).code, 'E_PROXY_UNKNOWN');
  const statuses = join(folder, 'clusters.json');
  writeFileSync(statuses, '{"cluster_statuses":[]}');
  const ecds = await refusal(ProxyConfigEcds, '--file', statuses);
  assert.is(ecds.code, 'E_DUMP_INVALID');
  assert.match(ecds.message, 'EcdsConfigDump');
  assert.match((await refusal(ProxyConfigRoute, '--file', join(folder, 'none.json'))).message, 'there is no such file');
  assert.match((await refusal(ProxyConfigRoute, '--file', folder)).message, 'it is a folder');
  assert.match((await refusal(ProxyConfigRoute, '--file', mesh)).message, 'seems to be YAML configuration');
  for (const [command, type, fields, field] of [
    [ProxyConfigBootstrap, 'Bootstrap', { bootstrap: 'hello' }, 'bootstrap'],
    [ProxyConfigBootstrap, 'Bootstrap', { bootstrap: [1] }, 'bootstrap'],
    [ProxyConfigBootstrap, 'Bootstrap', { bootstrap: { node: 5 } }, 'bootstrap.node'],
    [ProxyConfigBootstrap, 'Bootstrap', { bootstrap: { staticResources: { clusters: ['x'] } } }, 'bootstrap.staticResources.clusters[0]'],
    [ProxyConfigRoute, 'Routes', { dynamicRouteConfigs: { a: 1 } }, 'dynamicRouteConfigs'],
    [ProxyConfigRoute, 'Routes', { dynamicRouteConfigs: [{ routeConfig: 'a' }] }, 'dynamicRouteConfigs[0].routeConfig'],
    [ProxyConfigListener, 'Listeners', { dynamicListeners: [{}, 'a'] }, 'dynamicListeners[1]'],
  ] as const) {
    const file = join(folder, 'wrong.json');
    writeFileSync(file, JSON.stringify({ configs: [{ '@type': `type.googleapis.com/envoy.admin.v3.${type}ConfigDump`, ...fields }] }));
    const { code, message } = await refusal(command, '--file', file);
    assert.is(code, 'E_DUMP_INVALID');
    assert.ok(message.includes(`in ${type}ConfigDump, \`${field}\` must be`), message);
  }
  assert.is((await refusal(ProxyConfigRoute, '--agent', `unix:${folder}/nobody.sock`)).code, 'E_AGENT_UNREACHABLE');
  const broken = join(folder, 'broken.yaml');
  writeFileSync(broken, 'apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: { name: x }\nspec: { egres: [] }\n');
  const invalid = await refusal(ProxyConfigRoute, '-f', broken);
  assert.is(invalid.code, 'E_CONFIG_INVALID');
  assert.is(invalid.problems[0]!.position!.line, 4);
});

test.run();
