/** Host names as Istio's analysis compares them. */

const LOCAL_SUFFIX = '.svc.cluster.local';

/** The full name of a host: short names belong to `namespace`; names with a dot and wildcards stay as they are. */
export function fullHost(namespace: string, host: string): string {
  return host.startsWith('*') || host.includes('.') ? host : `${host}.${namespace}${LOCAL_SUFFIX}`;
}

/** True for names of Kubernetes Services, short ones too. */
export function isClusterLocal(host: string): boolean {
  return !host.includes('.') ? !host.startsWith('*') : host.endsWith(LOCAL_SUFFIX);
}

/** One key for all ways to write a service: `name.namespace.svc.cluster.local` and `name` in that namespace are the same. */
export function serviceKey(namespace: string, host: string): string {
  if (host.endsWith(LOCAL_SUFFIX)) {
    const parts = host.slice(0, -LOCAL_SUFFIX.length);
    const dot = parts.lastIndexOf('.');
    if (dot > 0) return `${parts.slice(dot + 1)}/${parts.slice(0, dot)}`;
  }
  return `${namespace}/${host}`;
}

/** Where something is visible: `*`, or namespaces. `.` is the own one. */
export function exportScopes(exportTo: readonly string[] | undefined, namespace: string): string[] {
  if (exportTo === undefined || exportTo.length === 0 || exportTo.includes('*')) return ['*'];
  return [...new Set(exportTo.map((entry) => (entry === '.' ? namespace : entry)))];
}

/** `namespace/name`, or the name alone for cluster-scoped objects. */
export function fullName(metadata: { readonly namespace: string; readonly name: string }): string {
  return metadata.namespace === '' ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}
