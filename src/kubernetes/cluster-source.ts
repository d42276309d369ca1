/** A cluster as a source of configuration, read once. */

import type { HomeCluster } from '../config/resource.ts';
import { ObjectPlace, type SourceObject } from '../config/source-object.ts';
import type { FairleadError } from '../errors.ts';
import { ApiStatusError, deniedWhat, isForbidden } from './api-error.ts';
import { type ApiClient, createApiClient } from './client.ts';
import { collectionPath, discover, type ServedKind } from './discovery.ts';
import { homeCluster, networkOf } from './home-cluster.ts';
import { openKubeConfig } from './kube-config.ts';
import { listObjects } from './list.ts';
import { analyzedKinds, configMapKind, isNeeded, modelKinds, namespaceKind, remoteKinds, secretKind } from './mesh-kinds.ts';
import { namedSecrets, type ObjectName } from './named-objects.ts';
import { slimmer } from './slim.ts';

/** What of which clusters is read. */
export interface ClusterChoice {
  /** The own cluster, whose configuration counts, then others, of which services and endpoints are read; none: the kubeconfig's current one. */
  contexts?: readonly string[] | undefined;
  /** The own one's name among several; Istio's for the only one without it. */
  clusterId?: string | undefined;
  /** Read in place of all when not all may be read; undefined: the context's. */
  namespace?: string | undefined;
  /** All namespaces, or an error. */
  allNamespaces?: boolean | undefined;
  /** Also what only an analysis looks at. */
  forAnalysis?: boolean | undefined;
  /** Where the ConfigMap `istio` is. */
  istioNamespace?: string | undefined;
}

type Item = Record<string, unknown>;

export const ISTIO_NAMESPACE = 'istio-system';
/** Lists that run at once. */
const PARALLEL = 6;

/** What a cluster has. */
export interface ReadCluster {
  /** The context's name. */
  readonly context: string;
  readonly objects: readonly SourceObject[];
  /** What was not read, a sentence each: kinds that the cluster does not have, and what this user may not read. */
  readonly notes: readonly string[];
  /** Whether all that is there was read. */
  readonly complete: boolean;
}

/**
 * Reads clusters. Kinds that one does not have are no error; nor is what may not be read, unless nothing goes without it; nor is another
 * cluster than the own one that cannot be read at all. Throws E_KUBECONFIG, E_CLUSTER_UNREACHABLE, E_CLUSTER_UNAUTHORIZED, E_CLUSTER_FORBIDDEN.
 */
export async function readCluster(choice: ClusterChoice): Promise<ReadCluster> {
  const [context, ...others] = new Set(choice.contexts ?? []);
  // Before anything is asked: what is typed wrong is said at once.
  const more = others.map((other) => createApiClient(openKubeConfig(other)));
  const client = createApiClient(openKubeConfig(context));
  try {
    const [own, ...rest] = await Promise.all([read(client, choice), ...more.map((other) => readRemote(other, choice))]);
    return {
      context: own.context,
      objects: [own, ...rest].flatMap(({ objects }) => objects),
      notes: [own, ...rest].flatMap(({ notes }) => notes),
      complete: [own, ...rest].every(({ complete }) => complete),
    };
  } finally {
    for (const one of [client, ...more]) one.close();
  }
}

/** Services and endpoints of another cluster than the own one. */
async function readRemote(client: ApiClient, choice: ClusterChoice): Promise<ReadCluster> {
  try {
    const { served } = await discover(client, remoteKinds);
    const { objects, denied } = await readKinds(served, client, choice);
    const namespaces = await readNamespace(client, choice.istioNamespace ?? ISTIO_NAMESPACE);
    const cluster = homeCluster(client.context, networkOf(namespaces, choice.istioNamespace ?? ISTIO_NAMESPACE), true);
    return { context: client.context, objects: inCluster(cluster, objects), notes: denied, complete: denied.length === 0 };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return {
      context: client.context,
      objects: [],
      notes: [`the cluster ${client.context} is left out: ${error.message}`],
      complete: false,
    };
  }
}

/** Istio's namespace, which may not be there. */
async function readNamespace(client: ApiClient, name: string): Promise<{ value: Item }[]> {
  try {
    const found: { value: Item }[] = [];
    const into = { begin: () => void found.splice(0), add: (value: Item) => void found.push({ value }) };
    await listObjects(client, collectionPath({ kind: namespaceKind, version: 'v1' }), { fieldSelector: `metadata.name=${name}` }, into);
    return found;
  } catch (error) {
    if (isForbidden(error)) return [];
    throw error;
  }
}

function inCluster(cluster: HomeCluster | undefined, objects: readonly SourceObject[]): readonly SourceObject[] {
  return cluster === undefined ? objects : objects.map((object) => ({ ...object, cluster }));
}

async function read(client: ApiClient, choice: ClusterChoice): Promise<ReadCluster> {
  const { served, absent } = await discover(client, choice.forAnalysis ? analyzedKinds : modelKinds);
  const istioNamespace = choice.istioNamespace ?? ISTIO_NAMESPACE;
  const { objects, denied, reading } = await readKinds(served, client, choice);
  const secrets = await readNamed(secretKind, namedSecrets(objects.map(({ value }) => value)), reading);
  const meshConfig = await readNamed(configMapKind, [{ namespace: istioNamespace, name: 'istio' }], reading);
  const cluster = homeCluster(choice.clusterId, networkOf(reading.objects.get('/Namespace') ?? [], istioNamespace), false);
  return {
    context: client.context,
    objects: inCluster(cluster, [...objects, ...secrets, ...meshConfig]),
    notes: [...denied, ...absentNote(client.context, absent)],
    complete: denied.length === 0,
  };
}

/** Lists the kinds, several at once. Objects come in the order of the kinds, whichever answer came first. */
async function readKinds(
  served: readonly ServedKind[],
  client: ApiClient,
  choice: ClusterChoice,
): Promise<{ objects: SourceObject[]; denied: readonly string[]; reading: Reading }> {
  const reading: Reading = { client, choice, objects: new Map(), denied: [] };
  const queue = [...served];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) await readKind(next, reading);
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  const objects = served.flatMap(({ kind }) => reading.objects.get(`${kind.group}/${kind.kind}`) ?? []);
  return { objects, denied: reading.denied, reading };
}

interface Reading {
  readonly client: ApiClient;
  readonly choice: ClusterChoice;
  /** By group and kind. */
  readonly objects: Map<string, SourceObject[]>;
  /** What this user may not read. */
  readonly denied: string[];
}

async function readKind(served: ServedKind, reading: Reading): Promise<void> {
  const { client, choice, denied } = reading;
  const { kind } = served;
  const key = `${kind.group}/${kind.kind}`;
  try {
    reading.objects.set(key, await listKind(served, client, undefined));
  } catch (error) {
    if (!isForbidden(error)) throw error;
    const namespace = choice.namespace ?? client.namespace;
    if (kind.scope === 'Cluster' || choice.allNamespaces) {
      if (isNeeded(kind)) throw error;
      denied.push(notRead(client, error, `${kind.plural} are left out`));
      return;
    }
    try {
      reading.objects.set(key, await listKind(served, client, namespace));
      denied.push(notRead(client, error, `${kind.plural} are read of namespace ${namespace} alone`));
    } catch (inside) {
      if (!isForbidden(inside) || isNeeded(kind)) throw inside;
      denied.push(notRead(client, inside, `${kind.plural} are left out`));
    }
  }
}

async function listKind(served: ServedKind, client: ApiClient, namespace: string | undefined): Promise<SourceObject[]> {
  const make = objectMaker(served, client.context);
  let found: SourceObject[] = [];
  await listObjects(
    client,
    collectionPath(served, namespace),
    {},
    {
      begin: () => {
        found = [];
      },
      add: (object) => void found.push(make(object)),
    },
  );
  return found;
}

/** Makes what is kept of objects of one kind. */
export function objectMaker({ kind, version }: ServedKind, context: string): (object: Item) => SourceObject {
  const slim = slimmer(kind, kind.group === '' ? version : `${kind.group}/${version}`);
  return (object) => {
    const value = slim(object);
    return { value, source: new ObjectPlace(context, value as unknown as ConstructorParameters<typeof ObjectPlace>[1]) };
  };
}

async function readNamed(kind: typeof secretKind, names: readonly ObjectName[], reading: Reading): Promise<SourceObject[]> {
  const { client, denied } = reading;
  const served: ServedKind = { kind, version: 'v1' };
  const make = objectMaker(served, client.context);
  const found: SourceObject[] = [];
  for (const { namespace, name } of names) {
    try {
      found.push(make((await client.request(`${collectionPath(served, namespace)}/${name}`)) as Item));
    } catch (error) {
      if (isForbidden(error)) denied.push(notRead(client, error, `${kind.kind} ${namespace}/${name} is left out`));
      else if (!(error instanceof ApiStatusError && error.status === 404)) throw error;
    }
  }
  return found;
}

function notRead({ context }: ApiClient, error: FairleadError, what: string): string {
  return `${what}: this user may not ${deniedWhat(error)} in all of ${context}`;
}

/** Of Istio's kinds; that there is no Gateway API tells nothing. */
function absentNote(context: string, absent: readonly { kind: string; group: string }[]): string[] {
  const names = absent.filter(({ group }) => group.endsWith('.istio.io')).map(({ kind }) => kind);
  return names.length === 0 ? [] : [`${context} has no CustomResourceDefinition of ${names.join(', ')}, or of other versions`];
}
