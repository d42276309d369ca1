/** Istio's standard metrics. https://istio.io/latest/docs/reference/config/metrics/ */
export interface StandardMetric {
  /** As Prometheus sees it. */
  name: string;
  type: 'counter' | 'histogram';
  help: string;
}

/** By the names that Telemetry's overrides have. */
export const STANDARD_METRICS = {
  REQUEST_COUNT: { name: 'istio_requests_total', type: 'counter', help: 'Requests.' },
  REQUEST_DURATION: { name: 'istio_request_duration_milliseconds', type: 'histogram', help: 'Duration of requests, in milliseconds.' },
  REQUEST_SIZE: { name: 'istio_request_bytes', type: 'histogram', help: 'Size of request bodies, in bytes.' },
  RESPONSE_SIZE: { name: 'istio_response_bytes', type: 'histogram', help: 'Size of response bodies, in bytes.' },
  GRPC_REQUEST_MESSAGES: { name: 'istio_request_messages_total', type: 'counter', help: 'gRPC messages from clients.' },
  GRPC_RESPONSE_MESSAGES: { name: 'istio_response_messages_total', type: 'counter', help: 'gRPC messages from servers.' },
  TCP_SENT_BYTES: { name: 'istio_tcp_sent_bytes_total', type: 'counter', help: 'Bytes of TCP connections sent to clients.' },
  TCP_RECEIVED_BYTES: { name: 'istio_tcp_received_bytes_total', type: 'counter', help: 'Bytes of TCP connections received from clients.' },
  TCP_OPENED_CONNECTIONS: { name: 'istio_tcp_connections_opened_total', type: 'counter', help: 'TCP connections opened.' },
  TCP_CLOSED_CONNECTIONS: { name: 'istio_tcp_connections_closed_total', type: 'counter', help: 'TCP connections closed.' },
} as const satisfies Readonly<Record<string, StandardMetric>>;

export type MetricName = keyof typeof STANDARD_METRICS;

export const METRIC_NAMES = Object.keys(STANDARD_METRICS) as MetricName[];
