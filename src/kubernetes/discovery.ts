import type { Kind } from '../config/kinds/kind.ts';
import { ApiStatusError } from './api-error.ts';
import type { ApiClient } from './client.ts';

/** A kind as an API server serves it. */
export interface ServedKind {
  readonly kind: Kind;
  /** The version to ask for: the newest that both sides know. */
  readonly version: string;
}

/** Which of the kinds a cluster has. */
export interface Discovered {
  readonly served: readonly ServedKind[];
  /** Kinds without a CRD, or only in versions that are not known here. */
  readonly absent: readonly Kind[];
}

/** Every API server has these. */
const BUILT_IN = new Set(['', 'apps', 'batch', 'discovery.k8s.io', 'admissionregistration.k8s.io', 'apiextensions.k8s.io']);

/**
 * Asks which kinds there are, and in which versions. Throws E_CLUSTER_UNREACHABLE, E_CLUSTER_UNAUTHORIZED, E_CLUSTER_FORBIDDEN.
 * https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
 */
export async function discover(client: ApiClient, kinds: readonly Kind[], signal?: AbortSignal): Promise<Discovered> {
  const groups = new Map<string, Promise<ReadonlyMap<string, readonly string[]>>>();
  const served: ServedKind[] = [];
  const absent: Kind[] = [];
  for (const { group } of kinds) if (!BUILT_IN.has(group) && !groups.has(group)) groups.set(group, servedIn(client, group, signal));
  await Promise.all(groups.values());
  for (const kind of kinds) {
    const versions = BUILT_IN.has(kind.group) ? kind.versions : ((await groups.get(kind.group))?.get(kind.plural) ?? []);
    const version = kind.versions.find((v) => versions.includes(v));
    if (version === undefined) absent.push(kind);
    else served.push({ kind, version });
  }
  return { served, absent };
}

/** Versions by plural. */
async function servedIn(
  client: ApiClient,
  group: string,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>();
  const about = (await orMissing(client.request(`/apis/${group}`, { signal }))) as { versions?: { version: string }[] } | undefined;
  const lists = await Promise.all(
    (about?.versions ?? []).map(async ({ version }) => {
      const list = await orMissing(client.request(`/apis/${group}/${version}`, { signal }));
      return { version, resources: (list as { resources?: { name: string }[] } | undefined)?.resources ?? [] };
    }),
  );
  for (const { version, resources } of lists) for (const { name } of resources) found.set(name, [...(found.get(name) ?? []), version]);
  return found;
}

async function orMissing(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiStatusError && error.status === 404) return undefined;
    throw error;
  }
}

/** Where the objects of a kind are, of one namespace or of all: `/apis/networking.istio.io/v1/namespaces/shop/virtualservices`. */
export function collectionPath({ kind, version }: ServedKind, namespace?: string): string {
  const root = kind.group === '' ? `/api/${version}` : `/apis/${kind.group}/${version}`;
  const inside = namespace === undefined || kind.scope === 'Cluster' ? '' : `/namespaces/${namespace}`;
  return `${root}${inside}/${kind.plural}`;
}
