/** Objects without what a mesh never reads: who set which field when, and the fields of Kubernetes' own kinds that are not declared. */
import type { TSchema } from 'typebox';
import type { Kind } from '../config/kinds/kind.ts';
import { KubernetesServiceStatus, NodeStatus, PodStatus } from '../config/kinds/kubernetes.ts';

type Item = Record<string, unknown>;

const METADATA = ['name', 'namespace', 'labels', 'annotations', 'uid', 'creationTimestamp', 'generation'];
/** kubectl's copy of the whole object. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** A field that is kept as a whole. */
const whole = (field: string): TSchema => ({ type: 'object', properties: { [field]: {} } }) as unknown as TSchema;

/** What is read of `status`: of other kinds nothing, so that conditions that somebody writes there are no change of the mesh. */
const STATUS: Readonly<Record<string, TSchema>> = {
  Pod: PodStatus,
  Node: NodeStatus,
  Service: KubernetesServiceStatus,
  // Addresses that Istio allocates, and whether health checks succeed.
  ServiceEntry: whole('addresses'),
  WorkloadEntry: whole('conditions'),
};

/** Gives what is kept of an object as an API server sends it: of Istio’s kinds all but bookkeeping and status. The object itself is not to be used any more. */
export function slimmer(kind: Kind, apiVersion: string): (object: Item) => Item {
  const open = kind.unknownFields === 'allow';
  const payload = open ? pruner(kind.schema) : keep;
  const status = pruner(STATUS[kind.kind] ?? NOTHING);
  return (object) => {
    const slim: Item = { apiVersion, kind: kind.kind, metadata: slimMetadata(object['metadata'] as Item) };
    if (kind.payload === 'spec') slim['spec'] = payload(object['spec'] ?? {});
    else Object.assign(slim, payload(without(object, ['apiVersion', 'kind', 'metadata', 'status'])));
    const state = object['status'] === undefined ? undefined : status(object['status']);
    if (state !== undefined && Object.keys(state as object).length > 0) slim['status'] = state;
    return slim;
  };
}

const keep = (value: unknown): unknown => value;
const NOTHING = { type: 'object', properties: {} } as unknown as TSchema;

function without(object: Item, keys: readonly string[]): Item {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}

function slimMetadata(metadata: Item): Item {
  const slim: Item = {};
  for (const key of METADATA) if (metadata[key] !== undefined) slim[key] = metadata[key];
  const annotations = slim['annotations'] as Item | undefined;
  if (annotations !== undefined && LAST_APPLIED in annotations) slim['annotations'] = without(annotations, [LAST_APPLIED]);
  return slim;
}

type Pruner = (value: unknown) => unknown;

const known = new WeakMap<TSchema, Pruner>();

/** Keeps the declared fields of objects whose schema declares some. */
function pruner(schema: TSchema): Pruner {
  let found = known.get(schema);
  if (found === undefined) {
    found = makePruner(schema as unknown as Item);
    known.set(schema, found);
  }
  return found;
}

function makePruner(schema: Item): Pruner {
  const properties = schema['properties'] as Record<string, TSchema> | undefined;
  if (schema['items'] !== undefined) {
    const item = pruner(schema['items'] as TSchema);
    return item === keep ? keep : (value) => (Array.isArray(value) ? value.map(item) : value);
  }
  if (properties === undefined) return keep;
  const fields = Object.entries(properties).map(([name, field]) => [name, pruner(field)] as const);
  return (value) => {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
    const slim: Item = {};
    for (const [name, prune] of fields) {
      const own = (value as Item)[name];
      if (own !== undefined && own !== null) slim[name] = prune(own);
    }
    return slim;
  };
}
