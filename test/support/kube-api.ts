/** Starts a real API server with its etcd on free loopback ports. Everything is in one scratch folder, and ends with `stop`. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApiClient, createApiClient, type RequestMore } from '../../src/kubernetes/client.ts';
import { type ClusterAccess, openKubeConfig } from '../../src/kubernetes/kube-config.ts';
import { freePorts } from './free-ports.ts';
import { type KubeBinaries, kubeBinaries } from './kube-apiserver.ts';

export interface KubeApi {
  /** As an administrator; `request` rejects as the product's own client does. */
  readonly admin: ApiClient;
  /** Its path; the current context is `test`. */
  readonly kubeconfig: string;
  readonly folder: string;
  readonly port: number;
  readonly etcd: string;
  /** A kubeconfig for whoever has the token, at another port of loopback if need be. */
  kubeconfigFor(name: string, token: string, port?: number): string;
  /** Creates an object from its apiVersion, kind and metadata. */
  create(object: KubeObject): Promise<KubeObject>;
  /** Merges into an object. */
  patch(object: KubeObject, change: object): Promise<KubeObject>;
  remove(object: KubeObject): Promise<void>;
  /** Kills the API server alone; etcd stays. */
  kill(): Promise<void>;
  /** Starts it again, at the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; [field: string]: unknown };
  [field: string]: unknown;
}

const START_MS = 90_000;

/** The API server, or why there is none on this machine. */
export async function startKubeApi(): Promise<KubeApi | { missing: string }> {
  const binaries = kubeBinaries({ build: false });
  return 'missing' in binaries ? binaries : start(binaries);
}

async function start(binaries: KubeBinaries): Promise<KubeApi> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-kube-'));
  const children = new Set<ChildProcess>();
  const run = (name: string, command: string, args: string[]): ChildProcess => {
    const log = openSync(join(folder, `${name}.log`), 'a');
    const child = spawn(command, args, { cwd: folder, stdio: ['ignore', log, log] });
    closeSync(log);
    children.add(child);
    child.once('exit', () => children.delete(child));
    return child;
  };
  const killAll = (): void => {
    for (const child of children) child.kill('SIGKILL');
  };
  process.once('exit', killAll);
  const [etcdPort, peerPort, port] = (await freePorts(3)) as [number, number, number];
  writeKeys(folder);
  const etcd = `http://127.0.0.1:${etcdPort}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  run('etcd', binaries.etcd, [
    ...['--data-dir', join(folder, 'etcd'), '--listen-client-urls', etcd, '--advertise-client-urls', etcd, '--listen-peer-urls', peer],
    ...['--initial-advertise-peer-urls', peer, '--initial-cluster', `default=${peer}`, '--unsafe-no-fsync'],
  ]);
  const kubeconfigFor = (name: string, token: string, at = port): string => {
    const file = join(folder, `${name}.kubeconfig`);
    writeFileSync(
      file,
      `apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "https://127.0.0.1:${at}", certificate-authority: ${folder}/ca.crt}}]
users: [{name: ${name}, user: {token: "${token}"}}]
contexts: [{name: ${name}, context: {cluster: test, user: ${name}}}]
current-context: ${name}
`,
    );
    return file;
  };
  const kubeconfig = kubeconfigFor('test', 'admin-token');
  const admin = clientOf(kubeconfig);
  let server: ChildProcess;
  const startServer = async (): Promise<void> => {
    server = run('kube-apiserver', binaries.apiserver, [
      ...[`--etcd-servers=${etcd}`, '--bind-address=127.0.0.1', '--advertise-address=127.0.0.1', `--secure-port=${port}`],
      ...['--tls-cert-file=server.crt', '--tls-private-key-file=server.key', '--client-ca-file=ca.crt', '--token-auth-file=tokens.csv'],
      ...['--service-account-issuer=https://kubernetes.default.svc', '--service-account-key-file=sa.pub'],
      ...['--service-account-signing-key-file=sa.key', '--authorization-mode=RBAC', '--service-cluster-ip-range=10.96.0.0/14'],
      ...['--endpoint-reconciler-type=none', '--disable-admission-plugins=ServiceAccount', '--allow-privileged=true'],
      // Nobody makes addresses of Services: webhooks are asked at their endpoints.
      '--enable-aggregator-routing=true',
    ]);
    const deadline = Date.now() + START_MS;
    for (;;) {
      if (server.exitCode !== null || Date.now() > deadline) {
        killAll();
        throw new Error(`kube-apiserver did not start: ${readFileSync(join(folder, 'kube-apiserver.log'), 'utf8').trim().slice(-2000)}`);
      }
      const ready =
        (await isReady(folder, port)) &&
        (await admin.request('/api/v1/namespaces/default').then(
          () => true,
          () => false,
        ));
      if (ready) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const ended = (child: ChildProcess): Promise<void> =>
    child.exitCode !== null || child.signalCode !== null
      ? Promise.resolve()
      : new Promise((resolve) => child.once('exit', () => resolve()));
  await startServer();
  return {
    admin,
    kubeconfig,
    folder,
    port,
    etcd,
    kubeconfigFor,
    create: (object) => admin.request(collectionOf(object), { method: 'POST', body: object }) as Promise<KubeObject>,
    patch: (object, change) =>
      admin.request(`${collectionOf(object)}/${object.metadata.name}`, {
        method: 'PATCH',
        body: change,
        contentType: 'application/merge-patch+json',
      }) as Promise<KubeObject>,
    async remove(object) {
      await admin.request(`${collectionOf(object)}/${object.metadata.name}`, { method: 'DELETE' });
    },
    async kill() {
      server.kill('SIGKILL');
      await ended(server);
    },
    restart: startServer,
    async stop() {
      admin.close();
      killAll();
      await Promise.all([...children].map(ended));
      process.off('exit', killAll);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Answers before that may come from handlers that are not all there yet. */
function isReady(folder: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const headers = { authorization: 'Bearer admin-token' };
    const asked = get({ host: '127.0.0.1', port, path: '/readyz', headers, ca: readFileSync(join(folder, 'ca.crt')) }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asked.on('error', () => resolve(false));
  });
}

/** A client of whoever a kubeconfig names. */
export const clientOf = (kubeconfig: string): ApiClient => createApiClient(accessOf(kubeconfig));

/** The cluster that a kubeconfig names. */
export function accessOf(kubeconfig: string): ClusterAccess {
  const before = process.env['KUBECONFIG'];
  process.env['KUBECONFIG'] = kubeconfig;
  try {
    return openKubeConfig(undefined);
  } finally {
    if (before === undefined) delete process.env['KUBECONFIG'];
    else process.env['KUBECONFIG'] = before;
  }
}

/** The path of the collection that an object is in. Plurals as those of all kinds here: by the rules of English. */
export function collectionOf({ apiVersion, kind, metadata }: KubeObject): string {
  const lower = kind.toLowerCase();
  const plural =
    lower === 'endpoints' ? lower : /(?:s|x|ch)$/.test(lower) ? `${lower}es` : lower.replace(/([^aeiou])y$/, '$1ie').concat('s');
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return metadata.namespace === undefined ? `${root}/${plural}` : `${root}/namespaces/${metadata.namespace}/${plural}`;
}

/** A token of a ServiceAccount, from the API server itself. */
export async function tokenOf(api: KubeApi, namespace: string, name: string): Promise<string> {
  const more: RequestMore = { method: 'POST', body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} } };
  const answer = (await api.admin.request(`/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`, more)) as {
    status: { token: string };
  };
  return answer.status.token;
}

/** Has etcd forget all versions but the last. https://etcd.io/docs/v3.6/dev-guide/api_grpc_gateway/ */
export async function compact(etcd: string): Promise<void> {
  const post = async (path: string, body: object): Promise<{ header: { revision: string } }> =>
    (await fetch(etcd + path, { method: 'POST', body: JSON.stringify(body) })).json() as Promise<{ header: { revision: string } }>;
  const { header } = await post('/v3/kv/range', { key: 'AA==' });
  await post('/v3/kv/compaction', { revision: header.revision });
}

function writeKeys(folder: string): void {
  const openssl = (...args: string[]): void => {
    const { status, stderr } = spawnSync('openssl', args, { cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`);
  };
  const key = (name: string): void => openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', name);
  key('ca.key');
  openssl(
    ...'req -x509 -new -key ca.key -subj /CN=test-ca -days 30 -out ca.crt'.split(' '),
    '-addext',
    'keyUsage=critical,keyCertSign,cRLSign',
  );
  key('server.key');
  openssl(...'req -new -key server.key -subj /CN=kube-apiserver -out server.csr'.split(' '));
  writeFileSync(join(folder, 'san'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  openssl(...'x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -out server.crt -extfile san'.split(' '));
  openssl(...'genrsa -out sa.key 2048'.split(' '));
  openssl(...'rsa -in sa.key -pubout -out sa.pub'.split(' '));
  writeFileSync(join(folder, 'tokens.csv'), 'admin-token,admin,admin,system:masters\nnobody-token,nobody,nobody,visitors\n', {
    mode: 0o600,
  });
}
