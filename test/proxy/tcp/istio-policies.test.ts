// test: exclusive
/** AuthorizationPolicies on TCP ports, from YAML to connections, in both engines. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { realEnvoy } from '../../support/envoy.ts';
import { startMesh, testPort } from '../../support/mesh.ts';
import { type Asked, grpcAuthz } from '../filters/authz-services.ts';
import { startBackend, talk } from './both-engines.ts';

const test = suite('policies on TCP ports');

/** A rule, and whether a connection to its port passes: 7.4 of the facts about Istio: ALLOW drops rules about HTTP, DENY their conditions. */
const PORTS: Readonly<Record<string, { passes: boolean; action?: string; rule?: object; dryRun?: boolean }>> = {
  allowed: { passes: true, rule: {} },
  'by-address': { passes: true, rule: { from: [{ source: { ipBlocks: ['127.0.0.0/8'] } }] } },
  'by-other-address': { passes: false, rule: { from: [{ source: { ipBlocks: ['10.0.0.0/8'] } }] } },
  'not-by-address': { passes: false, rule: { from: [{ source: { notRemoteIpBlocks: ['127.0.0.1'] } }] } },
  'by-principal': { passes: false, rule: { from: [{ source: { principals: ['*'] } }] } },
  'by-path': { passes: false, rule: { when: [{ key: 'request.headers[x]', values: ['y'] }] } },
  'by-destination': { passes: true, rule: { when: [{ key: 'destination.ip', values: ['127.0.0.1'] }] } },
  'nobody-asked': { passes: false },
  'denied-path': { passes: false, action: 'DENY', rule: { when: [{ key: 'request.headers[x]', values: ['y'] }] } },
  'denied-address': { passes: false, action: 'DENY', rule: { from: [{ source: { ipBlocks: ['127.0.0.1'] } }] } },
  'denied-others': { passes: true, action: 'DENY', rule: { from: [{ source: { notIpBlocks: ['127.0.0.1'] } }] } },
  'dry-run': { passes: true, action: 'DENY', rule: {}, dryRun: true },
  audited: { passes: true, action: 'AUDIT', rule: {} },
  asked: { passes: true, action: 'CUSTOM', rule: {} },
};

function policy(name: string, port: number): string {
  const { action = 'ALLOW', rule, dryRun } = PORTS[name]!;
  if (rule === undefined) return '';
  const { to, ...rest } = { to: [{ operation: { ports: [String(port)] } }], ...rule };
  const of = (kind: string, rules: object[]): object => ({
    selector: { matchLabels: { app: 'db' } },
    action: kind,
    rules,
    ...(kind === 'CUSTOM' && { provider: { name: 'authz' } }),
  });
  const annotations = dryRun === true ? { 'istio.io/dry-run': 'true' } : {};
  const one = (id: string, spec: object, notes: object): string =>
    `---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: ${JSON.stringify({ name: id, annotations: notes })}\nspec: ${JSON.stringify(spec)}\n`;
  const allowed = action === 'ALLOW' ? '' : one(`${name}-too`, of('ALLOW', [{ to }]), {});
  return allowed + one(name, of(action, [{ ...rest, to }]), annotations);
}

function meshOf(ports: ReadonlyMap<string, number>, backend: number, authz: number): string {
  const ingress = [...ports].map(([name, number]) => ({
    port: { number, name: `tcp-${name}`, protocol: 'TCP' },
    bind: '127.0.0.1',
    captureMode: 'NONE',
    defaultEndpoint: `127.0.0.1:${backend}`,
  }));
  const provider = { name: 'authz', envoyExtAuthzGrpc: { service: 'authz.local', port: authz, timeout: '2s' } };
  return `apiVersion: v1
kind: ConfigMap
metadata: { name: istio, namespace: istio-system }
data: { mesh: ${JSON.stringify(JSON.stringify({ extensionProviders: [provider] }))} }
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: authz }
spec: { hosts: [authz.local], resolution: STATIC, ports: [{ number: ${authz}, name: grpc, protocol: GRPC }], endpoints: [{ address: 127.0.0.1 }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: db }
spec: { address: 127.0.0.1, serviceAccount: db, labels: { app: db } }
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: db }
spec: ${JSON.stringify({ workloadSelector: { labels: { app: 'db' } }, ingress })}
${[...ports].map(([name, port]) => policy(name, port)).join('')}`;
}

for (const engine of ['embedded', 'envoy'] as const) {
  const found = engine === 'envoy' ? realEnvoy() : undefined;
  if (found !== undefined && 'missing' in found) {
    console.log(`SKIP policies on TCP ports of Envoy: ${found.missing}`);
    continue;
  }
  test(`${engine} carries them out`, async () => {
    const before = process.env['ENVOY_PATH'];
    if (found !== undefined) process.env['ENVOY_PATH'] = found.path;
    const asked: Asked[] = [];
    let answer = '';
    const service = await grpcAuthz(asked, () => answer);
    const backend = await startBackend();
    const ports = new Map(Object.keys(PORTS).map((name) => [name, testPort()]));
    const mesh = await startMesh({ 'mesh.yaml': meshOf(ports, backend.port, Number(service.host.split(':')[1])) }, { engine });
    try {
      const problems = mesh.agent.status().proxies.flatMap((p) => p.problems ?? []);
      assert.equal(
        problems.filter(({ severity }) => severity === 'error'),
        [],
      );
      for (const [name, { passes }] of Object.entries(PORTS)) {
        const heard = backend.heard;
        assert.is(await talk(ports.get(name)!), passes ? 'hello.' : '', name);
        if (!passes) assert.is(backend.heard, heard, `${name}: bytes went to the upstream`);
      }
      assert.is(asked.length, 1, 'about the port of the CUSTOM policy only');
      answer = 'deny';
      assert.is(await talk(ports.get('asked')!), '', 'the provider says no');
      assert.ok((await mesh.stat('db.default', 'tcp.rbac.istio_dry_run_deny_.shadow_denied')) > 0, 'the dry run is counted');
    } finally {
      await mesh.close();
      service.close();
      backend.close();
      if (before === undefined) delete process.env['ENVOY_PATH'];
      else process.env['ENVOY_PATH'] = before;
    }
  });
}

test.run();
