/** A proxy's config dump, computed from configuration without any proxy. */
import { loadConfig } from '../config/load.ts';
import type { ConfigSource } from '../config/sources/config-source.ts';
import { buildSnapshot } from '../envoy/build.ts';
import { bootstrap } from '../envoy/dump/bootstrap.ts';
import { dumpSections } from '../envoy/dump/config-dump.ts';
import type { Dump } from '../envoy/dump/read-dump.ts';
import { FairleadError } from '../errors.ts';
import { buildMesh } from '../mesh/mesh.ts';
import { findProxy } from '../mesh/proxies.ts';
import type { Mesh, ProxyNode } from '../mesh/types.ts';
import { wrongObjects } from './cluster-flags.ts';
import { leftOutSummary } from './left-out.ts';

export interface ComputedDumpOptions {
  paths: readonly string[];
  /** A cluster, read besides. */
  besides?: ConfigSource | undefined;
  namespace?: string | undefined;
  meshConfig?: string | undefined;
  /** `NAME[.NAMESPACE]`; undefined: the only proxy. */
  proxy: string | undefined;
  /** Fairlead's own. */
  version: string;
}

/** Finds the proxy in the mesh: the one named, else the only one. Throws E_PROXY_UNKNOWN with the names there are. */
function chooseProxy(mesh: Mesh, name: string | undefined, ofCluster: boolean): ProxyNode {
  let found = findProxy(mesh, name ?? '');
  if (name === undefined && 'candidates' in found && found.candidates.length === 1) found = findProxy(mesh, found.candidates[0]!);
  if (!('candidates' in found)) return found;
  const { candidates } = found;
  const several = name !== undefined && candidates.length > 1 && candidates.every((c) => c === name || c.startsWith(`${name}.`));
  const what = several ? `${name} is the name of several proxies` : `there is no proxy ${name} in this configuration`;
  throw new FairleadError('E_PROXY_UNKNOWN', name === undefined ? 'say whose config is meant: --proxy NAME[.NAMESPACE]' : what, {
    next: `${candidates.length > 0 ? `There are: ${candidates.join(', ')}.` : 'Nothing runs in it: it has no workloads and no gateways.'}${
      ofCluster ? ' The proxy that runs in a pod is asked with -k POD[.NAMESPACE].' : ''
    }`,
  });
}

/**
 * Loads configuration and computes one proxy's dump. Throws E_CONFIG_INVALID with every error of every file, E_PROXY_UNKNOWN.
 *
 * @param warn told in one line what the config does not carry out
 */
export async function computedDump(options: ComputedDumpOptions, warn: (text: string) => void): Promise<Dump> {
  const { namespace, meshConfig, besides } = options;
  const loaded = await loadConfig(options.paths, { namespace, meshConfig, besides, leaveOut: true });
  const wrong = wrongObjects(loaded.problems);
  if (wrong !== undefined) warn(wrong);
  const errors = loaded.problems.filter((p) => p.severity === 'error');
  if (errors.length > 0) {
    const count = errors.length === 1 ? 'an error' : `${errors.length} errors`;
    throw new FairleadError('E_CONFIG_INVALID', `the configuration has ${count}`, { problems: errors });
  }
  const mesh = buildMesh(loaded.resources, { meshConfig: loaded.meshConfig, meshConfigSource: loaded.meshConfigSource });
  const proxy = chooseProxy(mesh, options.proxy, besides !== undefined);
  const snapshot = buildSnapshot(mesh, proxy);
  const note = leftOutSummary([...mesh.problems, ...snapshot.problems]);
  if (note) warn(note);
  const admin = { address: '127.0.0.1', port: 15000 };
  const own = bootstrap(proxy, { config: mesh.config, version: options.version, admin, xdsPath: './XDS' });
  return { source: 'the computed config', sections: dumpSections(snapshot, { bootstrap: own, lastUpdated: 0 }) };
}
