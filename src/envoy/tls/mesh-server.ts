import type { TransportSocketJson } from '#envoy-api/envoy/config/core/v3/base_pb.js';
import { trustDomains } from '../../mesh/identity.ts';
import type { ResolvedMeshConfig } from '../../mesh/types.ts';
import { certificates, downstreamTls, limits, validation } from './context.ts';
import { identitiesOf } from './san-matchers.ts';
import { MESH_ROOTS, WORKLOAD_CERTIFICATE } from './sds.ts';

const cipherSuites = [
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'AES256-GCM-SHA384',
  'AES128-GCM-SHA256',
];

const protocols = { http: ['h2', 'http/1.1'], tcp: ['istio-peer-exchange', 'h2', 'http/1.1'] } as const;

/** The socket with which a workload takes mesh TLS: clients show a certificate of the mesh, whose identity is of one of its trust domains. */
export function meshServerSocket(config: ResolvedMeshConfig, speaks: keyof typeof protocols): TransportSocketJson {
  const { ecdhCurves: _, ...asked } = limits(config.meshMTLS);
  return downstreamTls({
    commonTlsContext: {
      tlsParams: { tlsMinimumProtocolVersion: 'TLSv1_2', tlsMaximumProtocolVersion: 'TLSv1_3', cipherSuites, ...asked },
      alpnProtocols: [...protocols[speaks]],
      ...certificates([WORKLOAD_CERTIFICATE]),
      ...validation(MESH_ROOTS, { matchTypedSubjectAltNames: identitiesOf(trustDomains(config)) }),
    },
    requireClientCertificate: true,
  });
}
