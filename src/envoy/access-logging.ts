/**
 * Which access logs Telemetry resources ask for. Istio: those of the root namespace, of the proxy's namespace and of its workload apply
 * one after the other; each may name providers (which then replace the wider ones'), or turn them off.
 */
import type { MeshConfig } from '../config/kinds/mesh-config.ts';
import type { AccessLogging } from '../config/kinds/telemetry.ts';
import { getOrMake } from '../mesh/memo.ts';
import type { ProxyScope } from '../mesh/types.ts';
import type { BuildContext } from './context.ts';
import { telemetryFor } from './telemetry-levels.ts';

type ExtensionProvider = NonNullable<MeshConfig['extensionProviders']>[number];

/** A provider that writes to a file: the only ones that are acted on. */
export interface FileLogProvider {
  name: string;
  file: NonNullable<ExtensionProvider['envoyFileAccessLog']>;
  /** A CEL expression: only such requests. */
  expression: string | undefined;
}

/** What the last entry about a provider says. */
interface Wanted {
  on: boolean;
  expression: string | undefined;
}

/** Istio's own provider, which needs no declaration. */
export const BUILT_IN_LOG = 'envoy';
const builtIn: ExtensionProvider = { name: BUILT_IN_LOG, envoyFileAccessLog: { path: '/dev/stdout' } };

/** A provider by its name, in any case; a declared one comes before the built-in one. */
export function findProvider(config: MeshConfig, name: string): ExtensionProvider | undefined {
  const key = name.toLowerCase();
  const found = config.extensionProviders?.find((p) => p.name?.toLowerCase() === key);
  return found ?? (key === BUILT_IN_LOG ? builtIn : undefined);
}

const namesOf = (entry: AccessLogging): string[] => entry.providers?.map((p) => p.name) ?? [];

/** Istio: the narrowest level that names providers decides which ones there are; all levels say in turn which of them are on. */
function merge(levels: readonly (readonly AccessLogging[])[], defaults: readonly string[], mode: 'CLIENT' | 'SERVER'): Map<string, Wanted> {
  const on = new Map<string, Wanted>();
  if (levels.length === 0) {
    for (const name of defaults) on.set(name, { on: true, expression: undefined });
    return on;
  }
  let inScope = new Set(defaults);
  for (const level of levels) {
    const names = level.flatMap(namesOf);
    if (names.length > 0) inScope = new Set(names);
  }
  let inherited = defaults;
  for (const entry of levels.flat()) {
    const own = namesOf(entry);
    if (own.length > 0) inherited = own;
    const wanted = entry.match?.mode ?? 'CLIENT_AND_SERVER';
    if (wanted !== 'CLIENT_AND_SERVER' && wanted !== mode) continue;
    const said = { on: entry.disabled !== true, expression: entry.filter?.expression };
    for (const name of inherited) if (inScope.has(name)) on.set(name, said);
  }
  return on;
}

const memo = new WeakMap<ProxyScope, Map<string, readonly FileLogProvider[] | undefined>>();

function find({ mesh, proxy }: BuildContext, mode: 'CLIENT' | 'SERVER'): FileLogProvider[] | undefined {
  const { config } = mesh;
  const levels = telemetryFor(mesh, proxy)
    .map((t) => t.spec.accessLogging ?? [])
    .filter((l) => l.length > 0);
  const named = [...merge(levels, config.defaultProviders?.accessLogging ?? [], mode)]
    .map(([name, wanted]) => ({ provider: findProvider(config, name), ...wanted }))
    .filter(({ provider }) => provider !== undefined);
  if (named.length === 0) return undefined;
  return named
    .filter(({ on, provider }) => on && provider?.envoyFileAccessLog !== undefined)
    .map(({ provider, expression }) => ({ name: provider!.name!, file: provider!.envoyFileAccessLog!, expression }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * The file providers that are on for what is being built; undefined when Telemetry and the mesh's default providers say nothing about
 * it, so that the mesh's `accessLogFile` counts. Gateways are clients (Istio).
 */
export function loggingProviders(context: BuildContext): readonly FileLogProvider[] | undefined {
  const mode = context.receives ? 'SERVER' : 'CLIENT';
  const byMode = getOrMake(memo, context.scope, () => new Map<string, readonly FileLogProvider[] | undefined>());
  if (!byMode.has(mode)) byMode.set(mode, find(context, mode));
  return byMode.get(mode);
}
