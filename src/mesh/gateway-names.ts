/** `name`, `./name` and `ns/name` → `ns/name`; `name.ns.svc.domain` (and what is cut from it) → `ns/name`; `mesh` is reserved for the sidecars. */
export function normaliseGateway(gateway: string, namespace: string): string {
  if (gateway === 'mesh') return gateway;
  const slash = gateway.indexOf('/');
  if (slash !== -1) return gateway.startsWith('./') ? `${namespace}${gateway.slice(1)}` : gateway;
  const [name, ns] = gateway.split('.');
  return ns === undefined ? `${namespace}/${gateway}` : `${ns}/${name}`;
}
