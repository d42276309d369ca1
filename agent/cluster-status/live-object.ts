/** A condition, of Istio's objects (https://istio.io/latest/docs/reference/config/meta/v1beta1/istio-status/) and of Kubernetes' alike. */
export interface LiveCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
  /** Istio's definitions let it be a text. */
  readonly observedGeneration?: number | string;
}

/** What is kept of an object whose status is written here. */
export interface LiveObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly generation: number;
    readonly resourceVersion: string;
  };
  readonly status?: Readonly<Record<string, unknown>>;
}

/** As a condition is to be, without times. */
export interface WantedCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  /** One word in CamelCase. */
  readonly reason: string;
  readonly message: string;
}

export const groupOf = ({ apiVersion }: Pick<LiveObject, 'apiVersion'>): string => apiVersion.slice(0, apiVersion.indexOf('/'));

/** `group/kind/namespace/name`. */
export function keyOf({ group, kind, namespace, name }: { group: string; kind: string; namespace: string; name: string }): string {
  return `${group}/${kind}/${namespace}/${name}`;
}

/** The key of an object as it is in the cluster. */
export function liveKey(object: Pick<LiveObject, 'apiVersion' | 'kind' | 'metadata'>): string {
  const { name, namespace = '' } = object.metadata;
  return keyOf({ group: groupOf(object), kind: object.kind, namespace, name });
}

/** `VirtualService shop/reviews`, as problems name it. */
export function liveOrigin({ kind, metadata }: Pick<LiveObject, 'kind' | 'metadata'>): string {
  return metadata.namespace === undefined ? `${kind} ${metadata.name}` : `${kind} ${metadata.namespace}/${metadata.name}`;
}
