/** The engine that was chosen, made of the agent's parts. */
import { bootstrap, type LocalAddress } from '../src/envoy/dump/bootstrap.ts';
import type { ProxyNode, ResolvedMeshConfig } from '../src/mesh/types.ts';
import type { ChosenEngine } from './choose-engine.ts';
import type { DataDirectory } from './data-directory.ts';
import { createEmbeddedEngine } from './embedded/engine.ts';
import { endProxyProcess } from './embedded/process.ts';
import type { Engine } from './engine.ts';
import { endEnvoys } from './envoy/end-envoys.ts';
import { createEnvoyEngine } from './envoy/engine.ts';
import { type HttpTarget, httpTarget } from './http-client.ts';
import type { Log } from './log.ts';

export interface EngineParts {
  data: DataDirectory;
  version: string;
  orphanSeconds: number | undefined;
  log: Log;
  /** Undefined while the proxy is not known. */
  describe(proxyId: string): { proxy: ProxyNode; config: ResolvedMeshConfig } | undefined;
  /** Where the agent's API listens; undefined while it does not. */
  api(): LocalAddress | undefined;
}

/** What requests in flight get when the engine of an earlier agent is another one. */
const DRAIN_MS = 5000;

export function createEngine(chosen: ChosenEngine, { data, version, orphanSeconds, log, describe, api }: EngineParts): Engine {
  if (chosen.engine === 'embedded') {
    return createEmbeddedEngine({
      socket: data.proxySocket,
      logFile: data.proxyLog,
      version,
      orphanSeconds,
      log,
      describe(id) {
        const found = describe(id);
        const admin = api();
        return found && admin && { proxy: found.proxy, bootstrap: bootstrap(found.proxy, { ...found, version, admin, xdsPath: './XDS' }) };
      },
    });
  }
  return createEnvoyEngine({
    data,
    binary: chosen.binary,
    orphanSeconds,
    log,
    describe(id, { admin, xds }) {
      const found = describe(id);
      return found && { ...found, bootstrap: bootstrap(found.proxy, { ...found, version, admin: { path: admin }, xdsPath: xds }) };
    },
  });
}

/** An earlier agent may have left the other engine's data plane: it holds the ports. */
export async function endOtherEngine({ engine }: ChosenEngine, { data, log }: Pick<EngineParts, 'data' | 'log'>): Promise<void> {
  const ended =
    engine === 'envoy'
      ? await endProxyProcess(httpTarget(`unix:${data.proxySocket}`) as HttpTarget, DRAIN_MS)
      : (await endEnvoys(data.path, DRAIN_MS)) > 0;
  if (ended)
    log.warning(`the ${engine === 'envoy' ? 'embedded proxy' : 'Envoys'} of an earlier agent ended: the engine is another one now`);
}
