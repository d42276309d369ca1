/**
 * A Resource is one object of the configuration with the source position of every field. Nothing downstream
 * rebuilds a line number from a path template: positions are asked of the resource's own document.
 */

/** A place in a file. `line` and `column` are 1-based; `column` counts UTF-16 units. Both are 0 where there are no lines, as in a cluster. */
export interface Position {
  file: string;
  line: number;
  column: number;
}

/** Keys and indices from the document's root: `['spec', 'http', 0, 'match']`. */
export type FieldPath = readonly (string | number)[];

/** The document that a resource came from. Positions are found lazily: only reports pay for them. */
export interface Source {
  /** As the user named it; `-` for standard input; `cluster/CONTEXT: KIND NAMESPACE/NAME` for a cluster's objects. */
  readonly file: string;
  /** 0-based place of the document in its file. */
  readonly document: number;
  /** Another object when the document stands elsewhere than before: positions that were asked for are to be asked for again. */
  readonly place?: object;
  /** Position of the value at `path`, or of its nearest ancestor that is there. */
  positionOf(path: FieldPath): Position;
  /** Position of the key at `path`, or of its nearest ancestor that is there. */
  keyPositionOf(path: FieldPath): Position;
}

export interface Metadata {
  readonly name: string;
  /** Empty for cluster-scoped kinds. */
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Milliseconds since 1970, or undefined in files that do not say. */
  readonly creationTime: number | undefined;
  readonly uid?: string;
  /** Of a cluster's object: a number that grows with each change of what it asks for. */
  readonly generation?: number;
}

/** The cluster that an object was read from: one object for all of a cluster's. */
export interface HomeCluster {
  /** As endpoints carry it in `topology.istio.io/cluster`. */
  readonly id: string;
  /** Of pods that name none: the label `topology.istio.io/network` of Istio's namespace. Empty: not said. */
  readonly network: string;
  /** Another cluster than the one whose configuration counts: it gives services, endpoints and workloads only. */
  readonly remote: boolean;
}

/** One object of the configuration, validated against its kind. */
export interface Resource<Spec = unknown> {
  readonly apiVersion: string;
  /** `networking.istio.io`, or empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly metadata: Metadata;
  /** `spec` of kinds that have one; for the others (ConfigMap, Endpoints, Secret, …) the whole object. */
  readonly spec: Spec;
  /** `status`, where the kind has one and the object carries it. */
  readonly status?: unknown;
  readonly source: Source;
  /** undefined: files, or the only cluster, which says nothing of itself. */
  readonly cluster?: HomeCluster;
}

/** What tells an object of a cluster apart from another cluster's of the same name: empty for the own one. */
export function remoteId({ cluster }: Pick<Resource, 'cluster'>): string {
  return cluster?.remote ? cluster.id : '';
}

/** `spec.http[0].route[1].weight`; keys that are not plain names are quoted: `metadata.labels["app.kubernetes.io/name"]`. */
export function formatPath(path: FieldPath): string {
  let out = '';
  for (const part of path) {
    if (typeof part === 'number') out += `[${part}]`;
    else if (/^[A-Za-z_$][\w$-]*$/.test(part)) out += out === '' ? part : `.${part}`;
    else out += `[${JSON.stringify(part)}]`;
  }
  return out;
}

/** `VirtualService default/payments`, or `Namespace default` for cluster-scoped kinds. */
export function originOf(resource: Pick<Resource, 'kind' | 'metadata'>): string {
  const { namespace, name } = resource.metadata;
  return namespace === '' ? `${resource.kind} ${name}` : `${resource.kind} ${namespace}/${name}`;
}

/** `reviews.yaml:14:5`, or `cluster/prod: VirtualService default/reviews`. */
export function formatPosition(p: Position): string {
  return p.line === 0 ? p.file : `${p.file}:${p.line}:${p.column}`;
}
