/** A whole mesh for a test: a folder of YAML, an agent, the embedded proxy's process. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Agent, type AgentOptions, startAgent } from '../../agent/agent.ts';
import { createLog } from '../../agent/log.ts';
import type { ProxyStatus } from '../../agent/status.ts';

export interface TestMesh {
  readonly agent: Agent;
  readonly folder: string;
  readonly data: string;
  /** Writes or replaces a file of the mesh. */
  write(name: string, text: string): void;
  proxy(name: string): ProxyStatus;
  /** `127.0.0.1:PORT` of a sidecar's explicit proxy. */
  httpProxy(name: string): string;
  /** `127.0.0.1:PORT` of a gateway's first listener. */
  gateway(name: string): string;
  /** A counter or gauge of a proxy, 0 when it is not there. */
  stat(proxy: string, name: string): Promise<number>;
  close(): Promise<void>;
}

/** @param files by name, YAML text */
export async function startMesh(
  files: Record<string, string>,
  options: Partial<Pick<AgentOptions, 'allowUnenforced' | 'engine' | 'metrics' | 'ca' | 'certificateLifeMs'>> = {},
): Promise<TestMesh> {
  const root = mkdtempSync(join(tmpdir(), 'fairlead-'));
  const folder = join(root, 'mesh');
  const data = join(root, 'data');
  const write = (name: string, text: string): void => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  };
  for (const [name, text] of Object.entries(files)) write(name, text);
  const agent = await startAgent({
    paths: [folder],
    namespace: 'default',
    dataDirectory: data,
    apiPort: 0,
    allowUnenforced: false,
    orphanSeconds: 20,
    version: 'test',
    log: createLog('text', 'error', (line) => process.stderr.write(line)),
    ...options,
  });
  const proxy = (name: string): ProxyStatus => {
    const found = agent.status().proxies.find((p) => p.name === name);
    if (!found) throw new Error(`no proxy ${name}: ${JSON.stringify(agent.status(), null, 1)}`);
    return found;
  };
  const listening = (name: string, purpose: string): string => {
    const at = proxy(name).listening.find((l) => l.purpose === purpose);
    if (!at) throw new Error(`no ${purpose} listener in ${name}`);
    return at.address.replace('0.0.0.0', '127.0.0.1');
  };
  return {
    agent,
    folder,
    data,
    write,
    proxy,
    httpProxy: (name) => listening(name, 'http-proxy'),
    gateway: (name) => listening(name, 'gateway'),
    async stat(name, stat) {
      const { body } = await agent.engine.admin(proxy(name).id, 'GET', '/stats');
      const line = body
        .toString('utf8')
        .split('\n')
        .find((l) => l.startsWith(`${stat}: `));
      return line === undefined ? 0 : Number(line.slice(stat.length + 2));
    },
    async close() {
      await agent.stop(0);
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** A WorkloadEntry on loopback. */
export function workload(name: string, labels: Record<string, string>, port: number, annotations: Record<string, string> = {}): string {
  return `---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: ${JSON.stringify({ name, annotations })}
spec: ${JSON.stringify({ address: '127.0.0.1', ports: { http: port }, labels })}
`;
}

/** A WorkloadEntry that calls others: its service account and its label `app` are its name. */
export function client(name: string, annotations: Record<string, string> = {}, port?: number): string {
  const own = { 'fairlead.dev/http-proxy-port': String(testPort()), ...annotations };
  return `---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: ${JSON.stringify({ name, annotations: own })}
spec: ${JSON.stringify({ address: '127.0.0.1', labels: { app: name }, serviceAccount: name, ...(port && { ports: { http: port } }) })}
`;
}

/** A workload of port \`inbound\`, where its proxy takes requests, mutual TLS included, for the application on port \`app\`. */
export function secured(name: string, inbound: number, app: number, labels: Record<string, string> = {}): string {
  return `---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: ${JSON.stringify({ name, annotations: { 'fairlead.dev/http-proxy-port': String(testPort()) } })}
spec: ${JSON.stringify({ address: '127.0.0.1', ports: { http: inbound }, labels: { app: name, ...labels }, serviceAccount: name })}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: ${name} }
spec:
  workloadSelector: { labels: { app: ${name} } }
  ingress:
    - { port: { number: ${inbound}, protocol: HTTP, name: http }, bind: 127.0.0.1, captureMode: NONE, defaultEndpoint: "127.0.0.1:${app}" }
`;
}

/** A Kubernetes Service that selects \`app: <name>\`. */
export function service(name: string, port = 80, app = name): string {
  return `---
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { selector: { app: ${app} }, ports: [{ name: http, port: ${port} }] }
`;
}

/** Below the ports that the kernel gives to connections, above those of the shop. */
let nextPort = 20_000 + (process.pid % 1200) * 10;

/** A port for a sidecar's explicit proxy or a gateway that no other test file uses at the same time. */
export function testPort(): number {
  return nextPort++;
}
