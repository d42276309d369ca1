/**
 * Which access logs Telemetry resources ask for. Istio: those of the root namespace, of the proxy's namespace and of its workload apply
 * one after the other; each may name providers (which then replace the wider ones'), or turn them off.
 */
import type { MeshConfig } from '../config/kinds/mesh-config.ts';
import type { AccessLogging, Telemetry } from '../config/kinds/telemetry.ts';
import type { Resource } from '../config/resource.ts';
import { isSubset } from '../mesh/labels.ts';
import { getOrMake } from '../mesh/memo.ts';
import type { Mesh, ProxyNode, ProxyScope } from '../mesh/types.ts';
import type { BuildContext } from './context.ts';

type ExtensionProvider = NonNullable<MeshConfig['extensionProviders']>[number];

/** A provider that writes to a file: the only ones that are acted on. */
export interface FileLogProvider {
  name: string;
  file: NonNullable<ExtensionProvider['envoyFileAccessLog']>;
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

const isAttached = ({ spec }: Resource<Telemetry>): boolean => spec.targetRef !== undefined || (spec.targetRefs?.length ?? 0) > 0;

/** For all of its namespace: no selector (an empty one is none), and not attached to something. */
export function isNamespaceWide(telemetry: Resource<Telemetry>): boolean {
  return Object.keys(telemetry.spec.selector?.matchLabels ?? {}).length === 0 && !isAttached(telemetry);
}

/** The resources that apply to a proxy, widest first; of each level the oldest. */
function applicable(mesh: Mesh, proxy: ProxyNode): Resource<Telemetry>[] {
  const all = mesh.ofKind<Telemetry>('Telemetry');
  const wide = (namespace: string): Resource<Telemetry> | undefined =>
    all.find((t) => t.metadata.namespace === namespace && isNamespaceWide(t));
  const { rootNamespace } = mesh.config;
  const found = [
    wide(rootNamespace),
    proxy.namespace === rootNamespace ? undefined : wide(proxy.namespace),
    all.find(
      (t) =>
        t.metadata.namespace === proxy.namespace &&
        !isNamespaceWide(t) &&
        !isAttached(t) &&
        isSubset(t.spec.selector?.matchLabels ?? {}, proxy.labels),
    ),
  ];
  return found.filter((t) => t !== undefined);
}

const namesOf = (entry: AccessLogging): string[] => entry.providers?.map((p) => p.name) ?? [];

/** Istio: the narrowest level that names providers decides which ones there are; all levels say in turn which of them are on. */
function merge(
  levels: readonly (readonly AccessLogging[])[],
  defaults: readonly string[],
  mode: 'CLIENT' | 'SERVER',
): Map<string, boolean> {
  const on = new Map<string, boolean>();
  if (levels.length === 0) {
    for (const name of defaults) on.set(name, true);
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
    for (const name of inherited) if (inScope.has(name)) on.set(name, entry.disabled !== true);
  }
  return on;
}

const memo = new WeakMap<ProxyScope, Map<string, readonly FileLogProvider[] | undefined>>();

function find({ mesh, proxy }: BuildContext, mode: 'CLIENT' | 'SERVER'): FileLogProvider[] | undefined {
  const { config } = mesh;
  const levels = applicable(mesh, proxy)
    .map((t) => t.spec.accessLogging ?? [])
    .filter((l) => l.length > 0);
  const named = [...merge(levels, config.defaultProviders?.accessLogging ?? [], mode)]
    .map(([name, on]) => ({ provider: findProvider(config, name), on }))
    .filter(({ provider }) => provider !== undefined);
  if (named.length === 0) return undefined;
  return named
    .filter(({ on, provider }) => on && provider?.envoyFileAccessLog !== undefined)
    .map(({ provider }) => ({ name: provider!.name!, file: provider!.envoyFileAccessLog! }))
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
