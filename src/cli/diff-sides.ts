/** What `fairlead diff` compares: folders, revisions of a repository, running proxies. */
import { join, relative } from 'node:path';
import { loadSource } from '../config/load.ts';
import type { ParseMemo } from '../config/parse-config.ts';
import type { Resource } from '../config/resource.ts';
import type { ConfigSource } from '../config/sources/config-source.ts';
import type { DiffSide } from '../diff/mesh-diff.ts';
import { buildSnapshot } from '../envoy/build.ts';
import type { Snapshot } from '../envoy/snapshot.ts';
import { FairleadError } from '../errors.ts';
import { createLocator } from '../explain/locator.ts';
import { type ProxyView, viewOfSnapshot } from '../explain/view.ts';
import { buildMesh } from '../mesh/mesh.ts';
import { findProxy, proxiesOf } from '../mesh/proxies.ts';
import type { Mesh, ProxyNode } from '../mesh/types.ts';
import { type AdminClient, adminPath } from './proxy-source.ts';

/** A side that was computed from configuration. */
export interface ComputedSide extends DiffSide {
  mesh: Mesh;
  snapshots: ReadonlyMap<string, Snapshot>;
  /** Proxies that were left out, because others of their kind stand for them. */
  leftOut: number;
}

/** More proxies than this are not computed one by one. */
const MANY = 100;

export interface SideOptions {
  namespace: string;
  /** `NAME[.NAMESPACE]`; undefined: all. */
  proxy: string | undefined;
  /** Shared by both sides: what is the same in both is read and computed once. */
  memo: ParseMemo;
  previous: ComputedSide | undefined;
  /** A cluster that the source is laid over. */
  besides?: ConfigSource | undefined;
}

/** Loads a side and computes what its proxies run. Throws E_CONFIG_INVALID, E_PROXY_UNKNOWN (only when neither side has the proxy). */
export async function computeSide(source: ConfigSource, { namespace, proxy, memo, previous, besides }: SideOptions): Promise<ComputedSide> {
  const loaded = await loadSource(source, { namespace, besides, leaveOut: true }, undefined, memo);
  const errors = loaded.problems.filter((p) => p.severity === 'error');
  if (errors.length > 0) throw new FairleadError('E_CONFIG_INVALID', `${source.name} has errors`, { problems: errors });
  const mesh = buildMesh(loaded.resources, {
    meshConfig: loaded.meshConfig,
    meshConfigSource: loaded.meshConfigSource,
    previous: previous?.mesh,
  });
  const { nodes, leftOut } = proxy === undefined ? everyProxy(mesh) : { nodes: namedProxy(mesh, proxy, previous), leftOut: 0 };
  const locator = createLocator(mesh);
  const views = new Map<string, ProxyView>();
  const snapshots = new Map<string, Snapshot>();
  for (const node of nodes) {
    const name = `${node.name}.${node.namespace}`;
    const snapshot = buildSnapshot(mesh, node, previous?.snapshots.get(name));
    snapshots.set(name, snapshot);
    views.set(name, viewOfSnapshot(snapshot, source.name, locator));
  }
  return { resources: loaded.resources as readonly Resource[], views, mesh, snapshots, leftOut };
}

/** Has the files of one folder taken for what those of another, of the same names in it, were: what is the same in both is read once. */
export function recallFrom(memo: ParseMemo, before: string, after: string): void {
  for (const [key, known] of [...memo]) {
    const inside = relative(before, key);
    if (!inside.startsWith('..')) memo.set(inside === '' ? after : join(after, inside), known);
  }
}

/** All proxies wherever they run; of very many one for each namespace and kind. */
function everyProxy(mesh: Mesh): { nodes: ProxyNode[]; leftOut: number } {
  const all = proxiesOf(mesh, { addresses: mesh.workloads.flatMap((w) => w.addresses), pods: 'all' });
  if (all.length <= MANY) return { nodes: all, leftOut: 0 };
  const kinds = new Map(all.map((node) => [`${node.type} ${node.namespace}`, node]));
  const nodes = [...kinds.values()].slice(0, MANY);
  return { nodes, leftOut: all.length - nodes.length };
}

function namedProxy(mesh: Mesh, name: string, previous: ComputedSide | undefined): ProxyNode[] {
  const found = findProxy(mesh, name);
  if (!('candidates' in found)) return [found];
  // It may be what the change adds or removes.
  if (previous === undefined || previous.views.size > 0) return [];
  throw new FairleadError('E_PROXY_UNKNOWN', `neither side has a proxy ${name}`, { next: `There are: ${found.candidates.join(', ')}.` });
}

/** What an agent's proxies run now. */
export async function liveSide(client: AdminClient, proxy: string | undefined): Promise<DiffSide> {
  const [{ readDump }, { viewOfDump }] = await Promise.all([import('../envoy/dump/read-dump.ts'), import('../explain/view-of-dump.ts')]);
  const { proxies } = JSON.parse((await client.get('/fairlead/v1/status')).body.toString('utf8')) as { proxies: { name: string }[] };
  const names = proxies.map((p) => p.name).filter((name) => proxy === undefined || name === proxy || name.startsWith(`${proxy}.`));
  if (names.length === 0)
    throw new FairleadError('E_PROXY_UNKNOWN', proxy === undefined ? 'the agent runs no proxy' : `the agent runs no proxy ${proxy}`, {
      next: `It runs: ${proxies.map((p) => p.name).join(', ') || 'none'}.`,
    });
  const views = new Map<string, ProxyView>();
  for (const name of names) {
    const { body } = await client.get(adminPath(name, '/config_dump?include_eds'));
    views.set(name, { ...viewOfDump(await readDump(body.toString('utf8'), name)), proxy: name });
  }
  return { resources: [], views };
}
