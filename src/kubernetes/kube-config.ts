/** The only place that imports the Kubernetes client: it reads kubeconfigs and gives credentials. Loaded late, because it is large. */
import { existsSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { FairleadError } from '../errors.ts';

/** Where a cluster is, and who asks. */
export interface ClusterAccess {
  /** The context’s name; `in-cluster` for a pod’s own. */
  readonly context: string;
  /** `https://HOST:PORT`, perhaps with a path. */
  readonly server: string;
  /** The context’s namespace, else `default`. */
  readonly namespace: string;
  /** True when the kubeconfig names a proxy for this cluster; `authorize` then sets the agent that connects through it. */
  readonly proxied: boolean;
  /** Sets trust, certificate, key and Authorization. Asked for each request: tokens change. */
  authorize(options: RequestOptions): Promise<void>;
}

const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/**
 * Finds a cluster as kubectl does: `KUBECONFIG` (several files are merged), else ~/.kube/config, else the service account of the pod that
 * this runs in. Throws E_KUBECONFIG.
 *
 * @param context undefined: the current one
 */
export function openKubeConfig(context: string | undefined): ClusterAccess {
  const named = (process.env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
  const files = named.length > 0 ? named : [join(homedir(), '.kube', 'config')].filter((file) => existsSync(file));
  if (files.length > 0) return accessOf(loadFiles(files), context, files.join(', '));
  if (process.env['KUBERNETES_SERVICE_HOST'] && existsSync(TOKEN)) {
    const config = new KubeConfig();
    config.loadFromCluster();
    config.setCurrentContext(config.contexts[0]?.name ?? '');
    return { ...accessOf(config, undefined, 'the service account of this pod'), context: 'in-cluster' };
  }
  throw new FairleadError('E_KUBECONFIG', 'there is no kubeconfig, and this is no pod of a cluster', {
    next: 'Set KUBECONFIG, or put a kubeconfig at ~/.kube/config.',
  });
}

function loadFiles(files: readonly string[]): KubeConfig {
  const config = new KubeConfig();
  for (const [i, file] of files.entries()) {
    const one = i === 0 ? config : new KubeConfig();
    load(file, () => one.loadFromFile(file));
    if (one !== config) merge(config, one);
  }
  return config;
}

/** The first file that says something wins, as kubectl has it. */
function merge(into: KubeConfig, more: KubeConfig): void {
  const add = <T extends { name: string }>(known: readonly T[], others: readonly T[]): T[] => [
    ...known,
    ...others.filter(({ name }) => !known.some((k) => k.name === name)),
  ];
  into.clusters = add(into.clusters, more.clusters);
  into.users = add(into.users, more.users);
  into.contexts = add(into.contexts, more.contexts);
  if (!into.currentContext) into.currentContext = more.currentContext;
}

function load(from: string, read: () => void): void {
  try {
    read();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EACCES' ? 'permission denied' : message.split('\n')[0];
    throw new FairleadError('E_KUBECONFIG', `the kubeconfig ${from} cannot be read: ${why}`, {
      next: 'KUBECONFIG names the files to read; without it ~/.kube/config is read.',
      cause: error,
    });
  }
}

function accessOf(config: KubeConfig, context: string | undefined, from: string): ClusterAccess {
  const names = config.contexts.map(({ name }) => name);
  const chosen = context ?? config.currentContext;
  if (!chosen || !names.includes(chosen)) {
    const message = chosen ? `there is no context ${chosen} in ${from}` : `${from} has no current context`;
    throw new FairleadError('E_KUBECONFIG', message, {
      next: names.length === 0 ? 'It has no contexts at all.' : `Name one with --context: ${names.join(', ')}.`,
    });
  }
  config.setCurrentContext(chosen);
  const cluster = config.getCurrentCluster();
  if (!cluster?.server)
    throw new FairleadError('E_KUBECONFIG', `the context ${chosen} of ${from} names a cluster that has no server`, {
      next: 'Correct the cluster in the kubeconfig.',
    });
  return {
    context: chosen,
    server: cluster.server.replace(/\/+$/, ''),
    namespace: config.getContextObject(chosen)?.namespace || 'default',
    proxied: Boolean(cluster.proxyUrl),
    async authorize(options) {
      try {
        await config.applyToHTTPSOptions(options);
      } catch (error) {
        throw new FairleadError('E_KUBECONFIG', `the credentials of the context ${chosen} cannot be had: ${(error as Error).message}`, {
          next: `See the user ${config.getContextObject(chosen)?.user ?? ''} in ${from}.`,
          cause: error,
        });
      }
    },
  };
}
