const SYSTEM = new Set(['kube-system', 'kube-public', 'kube-node-lease', 'local-path-storage']);

/** Namespaces of Kubernetes itself: what is in them is not judged. */
export function isSystemNamespace(namespace: string): boolean {
  return SYSTEM.has(namespace);
}
