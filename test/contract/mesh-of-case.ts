/** From a case to what each of its proxies runs. */
import { parseConfig } from '../../src/config/parse-config.ts';
import { buildSnapshot } from '../../src/envoy/build.ts';
import type { Snapshot } from '../../src/envoy/snapshot.ts';
import { buildMesh } from '../../src/mesh/mesh.ts';
import { findProxy } from '../../src/mesh/proxies.ts';
import type { Mesh } from '../../src/mesh/types.ts';
import { LOG_FORMAT } from './access-log.ts';
import type { ContractCase } from './case.ts';
import type { Placeholders } from './placeholders.ts';
import { surroundings } from './surroundings.ts';

/** The proxy that requests come from when nobody says otherwise: implied wherever there is no sidecar. */
export const CLIENT = 'client.default';

/** `NAME.NAMESPACE` of all proxies that a case needs. */
export function proxiesIn({ proxies, steps }: ContractCase): string[] {
  const names = new Set(proxies);
  for (const { url, send, to, from, wait } of steps) {
    if (from !== undefined) names.add(from);
    else if (wait?.from !== undefined) names.add(wait.from);
    else if ((url !== undefined || send !== undefined) && to === undefined) names.add(CLIENT);
  }
  return [...names];
}

/** @param logFile where proxies write their access logs */
export async function meshOf(
  contractCase: ContractCase,
  places: Placeholders,
  logFile: string,
): Promise<{ mesh: Mesh; snapshots: Map<string, Snapshot> }> {
  await places.prepare(contractCase.mesh + JSON.stringify([contractCase.steps, contractCase.backends]));
  const text = `${places.fill(contractCase.mesh)}\n${await surroundings(contractCase.backends, places)}`;
  const loaded = await parseConfig(text, contractCase.file);
  const mesh = buildMesh(loaded.resources, {
    meshConfig: {
      accessLogFile: logFile,
      accessLogEncoding: 'JSON',
      accessLogFormat: JSON.stringify(LOG_FORMAT),
      proxyHttpPort: await places.port(`sidecar of ${CLIENT}`),
      ...contractCase.meshConfig,
    },
  });
  const snapshots = new Map<string, Snapshot>();
  for (const name of proxiesIn(contractCase)) {
    const proxy = findProxy(mesh, name);
    if ('candidates' in proxy) throw new Error(`no proxy ${name} among ${proxy.candidates.join(', ')}`);
    snapshots.set(name, buildSnapshot(mesh, proxy));
  }
  const problems = [...loaded.problems, ...mesh.problems, ...[...snapshots.values()].flatMap((s) => s.problems)];
  const errors = problems.filter((p) => p.severity === 'error');
  if (errors.length > 0) throw new Error(errors.map((p) => `${p.position?.line ?? '?'}: ${p.rule}: ${p.message}`).join('\n'));
  return { mesh, snapshots };
}
