/** Whose config explains a request: a live agent's proxy, a saved dump, or one computed from configuration. */
import { existsSync } from 'node:fs';
import { loadConfig } from '../config/load.ts';
import type { ConfigSource } from '../config/sources/config-source.ts';
import { FairleadError } from '../errors.ts';
import { createLocator } from '../explain/locator.ts';
import type { ProxyView } from '../explain/view.ts';
import { buildMesh } from '../mesh/mesh.ts';
import type { Mesh } from '../mesh/types.ts';
import { sourceName, wrongObjects } from './cluster-flags.ts';
import { leftOutSummary } from './left-out.ts';
import { meshViews } from './mesh-views.ts';
import { proxySource, type Surroundings } from './proxy-source.ts';
import type { RemoteFlags } from './remote-flags.ts';

export interface ExplainChoice extends RemoteFlags {
  /** A pod whose proxy is asked: `POD[.NAMESPACE]` or `deployment/NAME`. */
  pod?: string | undefined;
  kubernetes?: boolean | undefined;
  context?: string | readonly string[] | undefined;
  config?: string[] | undefined;
  namespace?: string | undefined;
  'mesh-config'?: string | undefined;
  /** A cluster, read besides. */
  besides?: ConfigSource | undefined;
  agent?: string | undefined;
  file?: string | undefined;
  /** The workload that sends. */
  from?: string | undefined;
  /** The workload that receives. */
  to?: string | undefined;
  gateway?: string | undefined;
}

export type ExplainAround = Surroundings;

export interface ExplainSource {
  readonly view: ProxyView;
  /** What should be said of the choice of the proxy. */
  readonly notes: readonly string[];
}

/**
 * Opens what the flags name: `--file`, `--agent`, `--pod`, `-f`; without any of them ./mesh where it is there, else this node's agent. Beside a
 * dump or an agent, `-f` gives the lines of its resources.
 *
 * Throws E_USAGE, E_DUMP_INVALID, E_CONFIG_INVALID, E_CONFIG_UNREADABLE, E_PROXY_UNKNOWN, E_AGENT_UNREACHABLE.
 *
 * @param host what the request is for: decides between the client and a gateway when no flag does
 */
export async function explainSource(choice: ExplainChoice, host: string | undefined, around: ExplainAround): Promise<ExplainSource> {
  const { file, agent, config, besides, pod } = choice;
  if (pod !== undefined) return recorded(choice, around);
  if (besides !== undefined) return computed(choice, config ?? [], host, around);
  if (file !== undefined || agent !== undefined || (config === undefined && !existsSync('mesh'))) return recorded(choice, around);
  return computed(choice, config ?? ['mesh'], host, around);
}

async function recorded(choice: ExplainChoice, around: ExplainAround): Promise<ExplainSource> {
  const { file, agent, config, pod } = choice;
  const proxy = choice.from ?? choice.to ?? choice.gateway;
  // Flags of a pod besides: how it is reached.
  const chosen = file !== undefined ? { file } : pod !== undefined ? { ...choice, config: undefined, proxy: undefined } : { agent, proxy };
  const source = await proxySource(chosen, around);
  const { viewOfDump } = await import('../explain/view-of-dump.ts');
  const dump = await source.dump();
  const locator = config === undefined ? undefined : createLocator((await loadMesh(choice, config, around.warn)).mesh);
  const view = viewOfDump(dump, locator);
  if ((file ?? pod) !== undefined && proxy !== undefined && !isNameOf(view, proxy))
    throw new FairleadError(
      'E_PROXY_UNKNOWN',
      `${file ?? pod} is ${file === undefined ? 'the pod' : 'a dump'} of ${view.proxy}, not of ${proxy}`,
      {
        next: 'It is one proxy: leave --from, --to and --gateway out, or name that one.',
      },
    );
  return { view, notes: [] };
}

/** `web`, `web.default`, or the owner of a pod: `web` of `web-6f7d-x2x.default`. */
function isNameOf({ proxy }: ProxyView, name: string): boolean {
  return proxy === name || proxy.startsWith(`${name}.`) || proxy.startsWith(`${name}-`);
}

async function computed(
  choice: ExplainChoice,
  paths: readonly string[],
  host: string | undefined,
  around: ExplainAround,
): Promise<ExplainSource> {
  const { mesh } = await loadMesh(choice, paths, around.warn);
  const name = sourceName(paths, choice.besides);
  if (mesh.resources.length === 0)
    throw new FairleadError('E_CONFIG_UNREADABLE', `there is nothing to explain: no resource of a mesh in ${name}`, {
      next: 'Name files or folders of configuration with -f PATH, or ask a running agent with --agent.',
    });
  const views = meshViews(mesh, name);
  const { view, notes, problems } = views.choose(choice, host);
  const note = leftOutSummary(problems);
  if (note !== undefined) around.warn(note);
  return { view, notes };
}

/** The mesh of files, folders and a cluster. Throws E_CONFIG_INVALID and E_CONFIG_UNREADABLE with every error. */
export async function loadMesh(
  choice: Pick<ExplainChoice, 'namespace' | 'mesh-config' | 'besides'>,
  paths: readonly string[],
  warn: (text: string) => void,
): Promise<{ mesh: Mesh }> {
  const { namespace, besides } = choice;
  const loaded = await loadConfig(paths, { namespace, meshConfig: choice['mesh-config'], besides, leaveOut: true });
  const wrong = wrongObjects(loaded.problems);
  if (wrong !== undefined) warn(wrong);
  const errors = loaded.problems.filter((p) => p.severity === 'error');
  if (errors.length > 0) {
    const unreadable = errors.some((p) => p.rule === 'file/unreadable');
    const count = errors.length === 1 ? 'an error' : `${errors.length} errors`;
    throw new FairleadError(unreadable ? 'E_CONFIG_UNREADABLE' : 'E_CONFIG_INVALID', `the configuration has ${count}`, {
      problems: errors,
    });
  }
  return { mesh: buildMesh(loaded.resources, { meshConfig: loaded.meshConfig, meshConfigSource: loaded.meshConfigSource }) };
}
