/** What a proxy tells about one finished request or connection: access logs, metrics and `fairlead up` are made from it. */
export interface RequestRecord {
  /** The proxy that handled it, `<name>.<namespace>`. */
  proxy: string;
  /** Milliseconds since 1970. */
  startTime: number;
  /** Milliseconds. */
  duration: number;
  direction: 'inbound' | 'outbound' | 'gateway';
  protocol: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2' | 'TCP';
  grpc: boolean;
  method: string;
  /** As it went upstream. */
  authority: string;
  /** Before any rewrite: `%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%`, as in Istio's access logs. */
  path: string;
  /** 0 when the client left before any response. */
  status: number;
  /** Envoy's short flags in Envoy's order, `-` for none. */
  flags: string;
  /** Envoy's response code details: `via_upstream`, `route_not_found`, … */
  details: string;
  terminationDetails: string;
  upstreamTransportFailure: string;
  /** Bodies alone, as `%BYTES_RECEIVED%` and `%BYTES_SENT%`. */
  bytesReceived: number;
  bytesSent: number;
  /** Milliseconds; undefined when nothing came from an upstream. */
  upstreamServiceTime: number | undefined;
  upstreamHost: string;
  upstreamCluster: string;
  upstreamLocalAddress: string;
  downstreamLocalAddress: string;
  downstreamRemoteAddress: string;
  sni: string;
  routeName: string;
  userAgent: string;
  requestId: string;
  forwardedFor: string;
  /** Attempts made upstream, retries included. */
  attempts: number;
  grpcStatus: number | undefined;
  /** gRPC messages that the client and the server sent; undefined for other requests. */
  grpcRequestMessages?: number | undefined;
  grpcResponseMessages?: number | undefined;
  /** Why the client's TLS failed, in Envoy's words: `TLS_error:|268435581:SSL routines:…`. Such a connection has nothing else. */
  downstreamTransportFailure?: string | undefined;
  /** The client's SPIFFE id where the connection proved one. */
  peerPrincipal?: string | undefined;
  /** Headers of the request that Telemetry asks for (metrics' tags), by lower-case name. */
  requestHeaders?: Readonly<Record<string, string>> | undefined;
  /** `/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews` of the route, and its field, when known. */
  config: string | undefined;
  field: string | undefined;
}
