/** A cluster as a source of configuration, read once. */

import { ObjectPlace, type SourceObject } from '../config/source-object.ts';
import type { FairleadError } from '../errors.ts';
import { ApiStatusError, deniedWhat, isForbidden } from './api-error.ts';
import { type ApiClient, createApiClient } from './client.ts';
import { collectionPath, discover, type ServedKind } from './discovery.ts';
import { openKubeConfig } from './kube-config.ts';
import { listObjects } from './list.ts';
import { analyzedKinds, configMapKind, isNeeded, modelKinds, secretKind } from './mesh-kinds.ts';
import { namedSecrets, type ObjectName } from './named-objects.ts';
import { slimmer } from './slim.ts';

/** What of a cluster is read. */
export interface ClusterChoice {
  /** undefined: the kubeconfig's current one. */
  context?: string | undefined;
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
 * Reads a cluster. Kinds that it does not have are no error; nor is what may not be read, unless nothing goes without it. Throws E_KUBECONFIG, E_CLUSTER_UNREACHABLE, E_CLUSTER_UNAUTHORIZED, E_CLUSTER_FORBIDDEN.
 */
export async function readCluster(choice: ClusterChoice): Promise<ReadCluster> {
  const client = createApiClient(openKubeConfig(choice.context));
  try {
    return await read(client, choice);
  } finally {
    client.close();
  }
}

async function read(client: ApiClient, choice: ClusterChoice): Promise<ReadCluster> {
  const { served, absent } = await discover(client, choice.forAnalysis ? analyzedKinds : modelKinds);
  const reading: Reading = { client, choice, objects: new Map(), denied: [] };
  const queue = [...served];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) await readKind(next, reading);
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  const listed = [...reading.objects.values()].flat();
  const secrets = await readNamed(secretKind, namedSecrets(listed.map(({ value }) => value)), reading);
  const meshConfig = await readNamed(configMapKind, [{ namespace: choice.istioNamespace ?? ISTIO_NAMESPACE, name: 'istio' }], reading);
  // In the order of the kinds, whichever answer came first.
  const objects = served.flatMap(({ kind }) => reading.objects.get(`${kind.group}/${kind.kind}`) ?? []);
  return {
    context: client.context,
    objects: [...objects, ...secrets, ...meshConfig],
    notes: [...reading.denied, ...absentNote(client.context, absent)],
    complete: reading.denied.length === 0,
  };
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
