/** Kubeconfigs that come out of a cluster, in Secrets: whoever may write one must not have this process run programs or read its files. */
import { parseDocument } from '../config/yaml/parse-document.ts';
import type { ClusterAccess } from './kube-config.ts';

type Item = Record<string, unknown>;

const isMap = (value: unknown): value is Item => value !== null && typeof value === 'object' && !Array.isArray(value);

/** What may be said of a user and of a cluster. Istio refuses most of the rest as well (pkg/kube/multicluster). */
const USER = new Set(['token', 'client-certificate-data', 'client-key-data']);
const CLUSTER = new Set(['server', 'certificate-authority-data', 'tls-server-name', 'extensions']);

/**
 * The cluster that a kubeconfig's current context names, or why it is not taken.
 *
 * @param id what it is called from here on
 */
export function readRemoteKubeConfig(text: string, id: string): { access: ClusterAccess } | { refused: string } {
  const outcome = parseDocument(text);
  if (!outcome.ok || !isMap(outcome.value)) return { refused: `it is no kubeconfig${outcome.ok ? '' : `: ${outcome.failure.reason}`}` };
  const config = outcome.value;
  const named = (list: string, field: string, name: unknown): Item | undefined => {
    const entries = Array.isArray(config[list]) ? (config[list] as unknown[]) : [];
    const found = entries.find((entry) => isMap(entry) && entry['name'] === name) as Item | undefined;
    return isMap(found?.[field]) ? (found[field] as Item) : undefined;
  };
  const chosen = config['current-context'];
  const context = named('contexts', 'context', chosen);
  if (context === undefined) return { refused: chosen ? `there is no context ${String(chosen)}` : 'it has no current-context' };
  const cluster = named('clusters', 'cluster', context['cluster']);
  if (cluster === undefined) return { refused: `there is no cluster ${String(context['cluster'])}` };
  const user = named('users', 'user', context['user']);
  if (user === undefined) return { refused: `there is no user ${String(context['user'])}` };
  const wrong = [...unwelcome(user, USER), ...unwelcome(cluster, CLUSTER)];
  if (wrong.length > 0) return { refused: `${wrong.join(', ')} ${wrong.length === 1 ? 'is' : 'are'} not taken from a Secret` };
  const server = cluster['server'];
  if (typeof server !== 'string' || !server.startsWith('https://') || !URL.canParse(server))
    return { refused: 'its server is no https:// URL' };
  const data = {
    ca: dataOf(cluster, 'certificate-authority-data'),
    cert: dataOf(user, 'client-certificate-data'),
    key: dataOf(user, 'client-key-data'),
  };
  const token = typeof user['token'] === 'string' ? user['token'].trim() : '';
  if (token === '' && !(data.cert && data.key)) return { refused: 'its user has neither a token nor a client certificate with its key' };
  const servername = cluster['tls-server-name'];
  return {
    access: {
      context: id,
      server: server.replace(/\/+$/, ''),
      namespace: 'default',
      proxied: false,
      async authorize(options) {
        if (data.ca) options.ca = data.ca;
        if (data.cert && data.key) Object.assign(options, { cert: data.cert, key: data.key });
        if (typeof servername === 'string' && servername !== '') options.servername = servername;
        if (token !== '') options.headers = { ...(options.headers as Record<string, string>), authorization: `Bearer ${token}` };
      },
    },
  };
}

/** Fields that say something and are not among those that are taken. */
function unwelcome(of: Item, known: ReadonlySet<string>): string[] {
  return Object.entries(of).flatMap(([field, value]) => (known.has(field) || !value ? [] : [field]));
}

function dataOf(of: Item, field: string): Buffer | undefined {
  const value = of[field];
  return typeof value === 'string' && value !== '' ? Buffer.from(value, 'base64') : undefined;
}
