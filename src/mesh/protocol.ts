import type { Protocol } from './types.ts';

const byName: ReadonlyMap<string, Protocol> = new Map([
  ['tcp', 'TCP'],
  ['udp', 'UDP'],
  ['grpc', 'GRPC'],
  ['grpc-web', 'GRPC-Web'],
  ['http', 'HTTP'],
  ['http_proxy', 'HTTP_PROXY'],
  ['http2', 'HTTP2'],
  ['https', 'HTTPS'],
  ['tls', 'TLS'],
  ['mongo', 'Mongo'],
  ['redis', 'Redis'],
  ['mysql', 'MySQL'],
]);

/** Ports where the server speaks first, so that looking at the client's bytes would wait for ever. */
const serverSpeaksFirst: ReadonlySet<number> = new Set([25, 53, 3306, 27017]);

/** The `protocol` field of ServiceEntry, Gateway and Sidecar ports, in any case; what is not known is detected. */
export function parseProtocol(text: string | undefined): Protocol {
  return byName.get((text ?? '').toLowerCase()) ?? 'detected';
}

/** The protocol of a Kubernetes Service's port: transport, then appProtocol, else the port's name, else the number. */
export function kubernetesProtocol(port: { name?: string; port: number; protocol?: string; appProtocol?: string }): Protocol {
  if (port.protocol === 'UDP') return 'UDP';
  const name = port.appProtocol ?? port.name ?? '';
  if (name === 'kubernetes.io/h2c') return 'HTTP2';
  if (name === 'kubernetes.io/ws') return 'HTTP';
  if (name === 'kubernetes.io/wss') return 'HTTPS';
  const lower = name.toLowerCase();
  if (lower.startsWith('grpc-web')) return 'GRPC-Web';
  const dash = lower.indexOf('-');
  const found = byName.get(dash === -1 ? lower : lower.slice(0, dash));
  if (found !== undefined) return found;
  return serverSpeaksFirst.has(port.port) ? 'TCP' : 'detected';
}

const http: ReadonlySet<Protocol> = new Set<Protocol>(['HTTP', 'HTTP2', 'HTTP_PROXY', 'GRPC', 'GRPC-Web']);
const http2: ReadonlySet<Protocol> = new Set<Protocol>(['HTTP2', 'GRPC', 'GRPC-Web']);
const tcp: ReadonlySet<Protocol> = new Set<Protocol>(['TCP', 'HTTPS', 'TLS', 'Mongo', 'Redis', 'MySQL']);

/** HTTP, HTTP2, HTTP_PROXY, GRPC, GRPC-Web. */
export function isHttp(protocol: Protocol): boolean {
  return http.has(protocol);
}

/** What is spoken to the upstream as HTTP/2: HTTP2, GRPC, GRPC-Web. */
export function isHttp2(protocol: Protocol): boolean {
  return http2.has(protocol);
}

/** Opaque to a sidecar: TCP, HTTPS, TLS, Mongo, Redis, MySQL. */
export function isTcp(protocol: Protocol): boolean {
  return tcp.has(protocol);
}

/** Told apart by server name (SNI): HTTPS, TLS. */
export function isSniRouted(protocol: Protocol): boolean {
  return protocol === 'HTTPS' || protocol === 'TLS';
}
