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
  authority: string;
  /** As the client sent it. */
  path: string;
  /** 0 when the client left before any response. */
  status: number;
  /** Envoy's short flags in Envoy's order, `-` for none. */
  flags: string;
  /** Envoy's response code details: `via_upstream`, `route_not_found`, … */
  details: string;
  terminationDetails: string;
  upstreamTransportFailure: string;
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
  virtualHost: string;
  userAgent: string;
  requestId: string;
  forwardedFor: string;
  /** Attempts made upstream, retries included. */
  attempts: number;
  grpcStatus: number | undefined;
  /** `/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews` of the route, and its field, when known. */
  config: string | undefined;
  field: string | undefined;
}
