import type { RequestRecord } from '../request-record.ts';
import type { Peer } from './peers.ts';
import type { Who } from './who.ts';

/** Labels by name. Empty values are left out when they are written: to Prometheus they are the same. */
export type Labels = Record<string, string>;

function peerLabels(side: 'source' | 'destination', peer: Peer): Labels {
  return {
    [`${side}_workload`]: peer.workload,
    [`${side}_workload_namespace`]: peer.namespace,
    [`${side}_principal`]: peer.principal,
    [`${side}_app`]: peer.app,
    [`${side}_version`]: peer.version,
    [`${side}_canonical_service`]: peer.canonicalService,
    [`${side}_canonical_revision`]: peer.canonicalRevision,
    [`${side}_cluster`]: peer.cluster,
  };
}

/** Istio's labels of a finished request or connection. https://istio.io/latest/docs/reference/config/metrics/#labels */
export function standardLabels(record: RequestRecord, { source, destination, service }: Who): Labels {
  const received = record.direction === 'inbound';
  const http = record.protocol !== 'TCP';
  return {
    reporter: received ? 'destination' : 'source',
    ...peerLabels('source', source),
    ...peerLabels('destination', destination),
    destination_service: service.host,
    destination_service_name: service.name,
    destination_service_namespace: service.namespace,
    request_protocol: http ? (record.grpc ? 'grpc' : 'http') : 'tcp',
    ...(http && { response_code: String(record.status), grpc_response_status: record.grpc ? String(record.grpcStatus ?? '') : '' }),
    response_flags: record.flags,
    connection_security_policy: received ? (record.peerPrincipal === undefined ? 'none' : 'mutual_tls') : 'unknown',
  };
}
