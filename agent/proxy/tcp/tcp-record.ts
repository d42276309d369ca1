import type { RequestRecord } from '../../../src/telemetry/request-record.ts';

/** What a connection's record takes from its session; the rest is empty for TCP. */
export type TcpFacts = Pick<
  RequestRecord,
  | 'proxy'
  | 'startTime'
  | 'duration'
  | 'direction'
  | 'flags'
  | 'details'
  | 'terminationDetails'
  | 'upstreamTransportFailure'
  | 'bytesReceived'
  | 'bytesSent'
  | 'upstreamHost'
  | 'upstreamCluster'
  | 'upstreamLocalAddress'
  | 'downstreamLocalAddress'
  | 'downstreamRemoteAddress'
  | 'sni'
  | 'attempts'
  | 'peerPrincipal'
>;

export function tcpRecord(facts: TcpFacts): RequestRecord {
  return {
    ...facts,
    protocol: 'TCP',
    grpc: false,
    method: '',
    authority: '',
    path: '',
    status: 0,
    upstreamServiceTime: undefined,
    routeName: '',
    userAgent: '',
    requestId: '',
    forwardedFor: '',
    grpcStatus: undefined,
    config: undefined,
    field: undefined,
  };
}
