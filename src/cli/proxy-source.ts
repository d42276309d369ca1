/** Where a proxy's config is read from: a live agent, the proxy of a pod, a saved dump, or computed from configuration. */

import * as Flags from '@oclif/core/flags';
import type { ClustersJson } from '#envoy-api/envoy/admin/v3/clusters_pb.js';
import type { Dump } from '../envoy/dump/read-dump.ts';
import { FairleadError } from '../errors.ts';
import type { PodAddress } from '../kubernetes/pods.ts';
import { argument } from './argument.ts';
import { type ClustersFlags, clusterSource, clustersFlags } from './cluster-flags.ts';
import * as flags from './flags.ts';
import { podChoice, type RemoteFlags, remoteFlags } from './remote-flags.ts';

/** The argument that names the proxy, as istioctl's commands take it. */
export const proxyArgs = {
  proxy: argument(
    'NAME[.NAMESPACE]',
    'the proxy: a workload or a gateway [default: the only one]; with -k a pod that runs, POD[.NAMESPACE] or deployment/NAME[.NAMESPACE]',
  ),
};

/** Flags of all commands that read one proxy's config. */
export const proxyFlags = {
  config: Flags.string({
    char: 'f',
    multiple: true,
    helpValue: 'PATH',
    description: 'files or folders to compute the config from, - for standard input [default: ask the agent]',
  }),
  ...clustersFlags,
  kubernetes: {
    ...clustersFlags.kubernetes,
    description:
      'of the cluster of the kubeconfig: with an argument, the proxy that runs in that pod is asked; with --proxy, the config is computed from the cluster’s objects, and -f goes before them',
    exclusive: ['agent', 'file'],
  },
  namespace: { ...flags.namespace, description: 'namespace of resources, or with -k of a pod, that name none' },
  'mesh-config': Flags.string({ helpValue: 'FILE', description: 'a file with a MeshConfig, for computed config' }),
  proxy: Flags.string({
    helpValue: 'NAME[.NAMESPACE]',
    description: 'the proxy, in place of the argument; with -k its config is computed, and nothing that runs is asked',
  }),
  agent: flags.agent,
  file: Flags.string({
    helpValue: 'DUMP',
    description: 'a saved config_dump (JSON), - for standard input',
    exclusive: ['config', 'agent'],
  }),
  ...remoteFlags,
};

/** What `proxyArgs` and `proxyFlags` gave. */
export interface ProxyChoice extends ClustersFlags, RemoteFlags {
  /** A pod whose proxy is asked, as typed. */
  pod?: string | undefined;
  config?: string[] | undefined;
  namespace?: string | undefined;
  'mesh-config'?: string | undefined;
  proxy?: string | undefined;
  agent?: string | undefined;
  file?: string | undefined;
}

/** The part of the agent's client that is needed here. */
export interface AdminClient {
  readonly address: string;
  get(path: string): Promise<{ body: Buffer }>;
}

/** What a source needs of the command that opens it. */
export interface Surroundings {
  /** Makes the client of the agent, or of the proxy of a pod; called only when it is asked. */
  connect(pod?: PodAddress): Promise<AdminClient>;
  /** Told what a computed config does not carry out. */
  warn(text: string): void;
  /** Fairlead's own. */
  version: string;
}

export interface ProxySource {
  /** The config dump, endpoints included. */
  dump(): Promise<Dump>;
  /** What the proxy says of its hosts now; undefined when it is not running (a dump, computed config). */
  clusterStatuses(): Promise<ClustersJson | undefined>;
}

async function readText(file: string): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  try {
    if (file !== '-') return await readFile(file, 'utf8');
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString('utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : code === 'EACCES' ? 'no permission' : message;
    throw new FairleadError('E_DUMP_INVALID', `${file} cannot be read: ${why}`, {
      next: 'A folder of configuration is read with -f.',
      cause: error,
    });
  }
}

/** The path of one proxy's admin API at an agent. */
export function adminPath(proxy: string | undefined, path: string): string {
  return proxy === undefined ? path : `/proxies/${encodeURIComponent(proxy)}${path}`;
}

/**
 * What an argument names under `-k`: a pod that is asked, and never a proxy whose config is computed. Throws E_USAGE when both are asked for.
 * docs/decisions.md says why.
 */
export function podOfArgument(
  argument: string | undefined,
  { kubernetes, proxy, config }: Pick<ProxyChoice, 'kubernetes' | 'proxy' | 'config'>,
): string | undefined {
  if (!kubernetes || argument === undefined) return undefined;
  const other = proxy !== undefined ? '--proxy' : config !== undefined && config.length > 0 ? '-f' : undefined;
  if (other === undefined) return argument;
  throw new FairleadError(
    'E_USAGE',
    `-k ${argument} asks the proxy that runs in a pod, and ${other} has a config computed: one of them is too much`,
    {
      next: `Leave ${other} out, or write --proxy ${argument.replace(/^.*\//, '')} in place of the argument.`,
    },
  );
}

function live(client: AdminClient, proxy: string | undefined): ProxySource {
  const get = async (path: string): Promise<string> => (await client.get(adminPath(proxy, path))).body.toString('utf8');
  return {
    dump: async () => (await import('../envoy/dump/read-dump.ts')).readDump(await get('/config_dump?include_eds'), client.address),
    clusterStatuses: async () => {
      const { readDump } = await import('../envoy/dump/read-dump.ts');
      return (await readDump(await get('/clusters?format=json'), client.address)).clusterStatuses;
    },
  };
}

/**
 * Opens the source that the flags name: `--file`, else a pod, else `-f` and `--kubernetes`, else the agent.
 *
 * Throws E_DUMP_INVALID, E_CONFIG_INVALID, E_PROXY_UNKNOWN, E_AGENT_UNREACHABLE, E_POD_UNKNOWN, E_POD_UNREACHABLE and the cluster's errors.
 */
export async function proxySource(choice: ProxyChoice, around: Surroundings): Promise<ProxySource> {
  const { file, config, proxy } = choice;
  if (file !== undefined) {
    const { readDump } = await import('../envoy/dump/read-dump.ts');
    const dump = await readDump(await readText(file), file === '-' ? 'standard input' : file);
    return { dump: async () => dump, clusterStatuses: async () => dump.clusterStatuses };
  }
  if (choice.pod !== undefined) return live(await around.connect(podChoice(choice.pod, choice)), undefined);
  const besides = clusterSource(choice);
  if ((config === undefined || config.length === 0) && besides === undefined) return live(await around.connect(), proxy);
  const { computedDump } = await import('./computed-dump.ts');
  const { namespace, 'mesh-config': meshConfig } = choice;
  const options = { paths: config ?? [], besides, namespace, meshConfig, proxy, version: around.version };
  const dump = await computedDump(options, around.warn);
  return { dump: async () => dump, clusterStatuses: async () => undefined };
}
