/** A host of a server: whose VirtualServices may attach (`*`: anybody's), and the name itself, lower case. */
export interface ServerHost {
  namespace: string;
  host: string;
}

/** Reads `host` and `namespace/host`; namespace `.` is the Gateway's own, `*` any. */
export function parseServerHost(text: string, gatewayNamespace: string): ServerHost {
  const slash = text.indexOf('/');
  if (slash < 0) return { namespace: '*', host: text.toLowerCase() };
  const namespace = text.slice(0, slash);
  return { namespace: namespace === '.' ? gatewayNamespace : namespace, host: text.slice(slash + 1).toLowerCase() };
}

/** The names of those hosts that VirtualServices of a namespace may attach to. */
export function hostsForNamespace(hosts: readonly ServerHost[], namespace: string): string[] {
  return hosts.filter((h) => h.namespace === '*' || h.namespace === namespace).map((h) => h.host);
}
