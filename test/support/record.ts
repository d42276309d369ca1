import type { RequestRecord } from '../../src/telemetry/request-record.ts';

/** A request that went well, with what a test changes. */
export function requestRecord(change: Partial<RequestRecord> = {}): RequestRecord {
  return {
    proxy: 'web.default',
    startTime: Date.UTC(2026, 0, 2, 3, 4, 5, 600),
    duration: 12.4,
    direction: 'outbound',
    protocol: 'HTTP/1.1',
    grpc: false,
    method: 'GET',
    authority: 'reviews:9080',
    path: '/reviews/1',
    status: 200,
    flags: '-',
    details: 'via_upstream',
    terminationDetails: '',
    upstreamTransportFailure: '',
    bytesReceived: 0,
    bytesSent: 10,
    upstreamServiceTime: 10,
    upstreamHost: '127.0.0.1:8001',
    upstreamCluster: 'outbound|9080|v1|reviews.default.svc.cluster.local',
    upstreamLocalAddress: '127.0.0.1:50000',
    downstreamLocalAddress: '127.0.0.1:15001',
    downstreamRemoteAddress: '127.0.0.1:50001',
    sni: '',
    routeName: '',
    userAgent: 'curl',
    requestId: 'x',
    forwardedFor: '',
    attempts: 1,
    grpcStatus: undefined,
    config: '/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews',
    field: 'http[1]',
    ...change,
  };
}
