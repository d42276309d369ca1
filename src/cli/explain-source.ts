/** Whose config explains a request: a live agent's proxy, a saved dump, or one computed from configuration. */
import { existsSync } from 'node:fs';
import type { Gateway } from '../config/kinds/networking.ts';
import { loadConfig } from '../config/load.ts';
import { buildSnapshot } from '../envoy/build.ts';
import type { Snapshot } from '../envoy/snapshot.ts';
import { FairleadError } from '../errors.ts';
import { createLocator } from '../explain/locator.ts';
import { servesHost } from '../explain/serves-host.ts';
import { type ProxyView, viewOfSnapshot } from '../explain/view.ts';
import { impliedGateways, isGatewayWorkload } from '../mesh/implied-workloads.ts';
import { buildMesh } from '../mesh/mesh.ts';
import { findProxy } from '../mesh/proxies.ts';
import type { Mesh, ProxyNode } from '../mesh/types.ts';
import { leftOutSummary } from './left-out.ts';
import { type AdminClient, proxySource } from './proxy-source.ts';

export interface ExplainChoice {
  config?: string[] | undefined;
  namespace?: string | undefined;
  'mesh-config'?: string | undefined;
  agent?: string | undefined;
  file?: string | undefined;
  /** The workload that sends. */
  from?: string | undefined;
  /** The workload that receives. */
  to?: string | undefined;
  gateway?: string | undefined;
}

export interface ExplainAround {
  connect(): Promise<AdminClient>;
  warn(text: string): void;
  version: string;
}

export interface ExplainSource {
  readonly view: ProxyView;
  /** What should be said of the choice of the proxy. */
  readonly notes: readonly string[];
}

/** The implied client: what a shell without a workload of its own is. */
const CLIENT = 'client.default';

/**
 * Opens what the flags name: `--file`, `--agent`, `-f`; without any of them ./mesh where it is there, else this node's agent. Beside a
 * dump or an agent, `-f` gives the lines of its resources.
 *
 * Throws E_USAGE, E_DUMP_INVALID, E_CONFIG_INVALID, E_CONFIG_UNREADABLE, E_PROXY_UNKNOWN, E_AGENT_UNREACHABLE.
 *
 * @param host what the request is for: decides between the client and a gateway when no flag does
 */
export async function explainSource(choice: ExplainChoice, host: string | undefined, around: ExplainAround): Promise<ExplainSource> {
  const { file, agent, config } = choice;
  if (file !== undefined || agent !== undefined || (config === undefined && !existsSync('mesh'))) return recorded(choice, around);
  return computed(choice, config ?? ['mesh'], host, around);
}

async function recorded(choice: ExplainChoice, around: ExplainAround): Promise<ExplainSource> {
  const { file, agent, config } = choice;
  const proxy = choice.from ?? choice.to ?? choice.gateway;
  const source = await proxySource(file !== undefined ? { file } : { agent, proxy }, around);
  const { viewOfDump } = await import('../explain/view-of-dump.ts');
  const dump = await source.dump();
  const locator = config === undefined ? undefined : createLocator((await loadMesh(choice, config)).mesh);
  const view = viewOfDump(dump, locator);
  if (file !== undefined && proxy !== undefined && !isNameOf(view, proxy))
    throw new FairleadError('E_PROXY_UNKNOWN', `${file} is a dump of ${view.proxy}, not of ${proxy}`, {
      next: 'A dump is of one proxy: leave --from, --to and --gateway out, or name that one.',
    });
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
  const { mesh } = await loadMesh(choice, paths);
  if (mesh.resources.length === 0)
    throw new FairleadError('E_CONFIG_UNREADABLE', `there is nothing to explain: no resource of a mesh in ${paths.join(', ')}`, {
      next: 'Name files or folders of configuration with -f PATH, or ask a running agent with --agent.',
    });
  const open = (proxy: ProxyNode): Opened => {
    const snapshot = buildSnapshot(mesh, proxy);
    return { snapshot, view: viewOfSnapshot(snapshot, paths.join(', '), createLocator(mesh, proxy.namespace)) };
  };
  const named = choice.from ?? choice.to;
  const { snapshot, view, notes } =
    named !== undefined
      ? { ...open(workload(mesh, named)), notes: [] }
      : choice.gateway !== undefined
        ? { ...open(gatewayProxy(mesh, choice.gateway)), notes: [] }
        : byHost(mesh, host, open);
  const note = leftOutSummary([...mesh.problems, ...snapshot.problems]);
  if (note !== undefined) around.warn(note);
  return { view, notes };
}

interface Opened {
  snapshot: Snapshot;
  view: ProxyView;
}

/** The implied client, unless a gateway alone knows the host. */
function byHost(mesh: Mesh, host: string | undefined, open: (proxy: ProxyNode) => Opened): Opened & { notes: string[] } {
  const client = open(workload(mesh, CLIENT));
  if (host === undefined || servesHost(client.view, host)) return { ...client, notes: [] };
  for (const gateway of gatewayProxies(mesh)) {
    const opened = open(gateway);
    if (!servesHost(opened.view, host)) continue;
    const note = `inside the mesh nothing is called ${host}: the gateway ${opened.view.proxy} serves it, so the request is taken to come from outside`;
    return { ...opened, notes: [note] };
  }
  return { ...client, notes: [] };
}

async function loadMesh(choice: ExplainChoice, paths: readonly string[]): Promise<{ mesh: Mesh }> {
  const loaded = await loadConfig(paths, { namespace: choice.namespace, meshConfig: choice['mesh-config'] });
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

function workload(mesh: Mesh, name: string): ProxyNode {
  const found = findProxy(mesh, name);
  if (!('candidates' in found)) return found;
  const several = found.candidates.length > 1 && found.candidates.every((c) => c === name || c.startsWith(`${name}.`));
  throw new FairleadError(
    'E_PROXY_UNKNOWN',
    several ? `${name} is the name of several workloads` : `there is no workload ${name} in this configuration`,
    {
      next: `There are: ${some(found.candidates)}.`,
    },
  );
}

/** Proxies that Gateways select: workloads, planned ones, and the implied ones. */
function gatewayProxies(mesh: Mesh): ProxyNode[] {
  const gateways = mesh.ofKind<Gateway>('Gateway');
  const present = [...mesh.workloads, ...mesh.workloadTemplates].filter((w) => isGatewayWorkload(gateways, w.labels));
  const names = new Set(
    [...present, ...impliedGateways(mesh, mesh.workloads)].map(
      (w) => `${'workloadName' in w ? w.workloadName || w.name : w.name}.${w.namespace}`,
    ),
  );
  return [...names].flatMap((name) => {
    const found = findProxy(mesh, name);
    return 'candidates' in found ? [] : [found];
  });
}

/** By the name of a Gateway (`NAME`, `NAMESPACE/NAME`, `NAME.NAMESPACE`) or of the proxy that serves it. */
function gatewayProxy(mesh: Mesh, name: string): ProxyNode {
  const proxies = gatewayProxies(mesh);
  const own = proxies.find((p) => p.name === name || `${p.name}.${p.namespace}` === name || p.workload.workloadName === name);
  if (own !== undefined) return own;
  const serving = proxies.find((p) =>
    mesh
      .scope(p)
      .gateways.some(({ resource: { metadata: m } }) => [m.name, `${m.namespace}/${m.name}`, `${m.name}.${m.namespace}`].includes(name)),
  );
  if (serving !== undefined) return serving;
  const gateways = mesh.ofKind<Gateway>('Gateway').map((g) => `${g.metadata.name}.${g.metadata.namespace}`);
  throw new FairleadError('E_PROXY_UNKNOWN', `there is no gateway ${name} in this configuration`, {
    next: gateways.length === 0 ? 'It has no Gateway at all.' : `There are: ${some(gateways)}.`,
  });
}

const MOST = 20;
const some = (names: readonly string[]): string =>
  names.length <= MOST ? names.join(', ') : `${names.slice(0, MOST).join(', ')} and ${names.length - MOST} more`;
