import type { TransportSocketJson } from '#envoy-api/envoy/config/core/v3/base_pb.js';
import type { CommonTlsContextJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';
import type { ClientTLSSettings } from '../../config/kinds/networking.ts';
import type { ResolvedMeshConfig } from '../../mesh/types.ts';
import { certificates, limits, upstreamTls, validation } from './context.ts';
import { exactNames } from './san-matchers.ts';
import {
  credentialCertificate,
  credentialRoots,
  fileCertificate,
  fileRoots,
  MESH_ROOTS,
  SYSTEM_ROOTS,
  WORKLOAD_CERTIFICATE,
} from './sds.ts';

const tlsParams = { tlsMinimumProtocolVersion: 'TLSv1_2', tlsMaximumProtocolVersion: 'TLSv1_3' } as const;

/**
 * The socket of mesh TLS.
 *
 * @param to.names one of which the server must prove; none: any workload of the mesh will do
 * @param to.http2 the cluster speaks nothing but HTTP/2
 */
export function meshClientSocket(to: { sni: string; names: readonly string[]; http2: boolean }): TransportSocketJson {
  return upstreamTls({
    commonTlsContext: {
      tlsParams,
      alpnProtocols: ['istio-peer-exchange', 'istio', ...(to.http2 ? ['h2'] : [])],
      ...certificates([WORKLOAD_CERTIFICATE]),
      ...validation(MESH_ROOTS, to.names.length > 0 ? { matchTypedSubjectAltNames: exactNames(to.names) } : {}),
    },
    sni: to.sni,
  });
}

function ownCertificate(tls: ClientTLSSettings): CommonTlsContextJson {
  if (tls.mode !== 'MUTUAL') return {};
  if (tls.credentialName) return certificates([credentialCertificate(tls.credentialName)]);
  return tls.clientCertificate && tls.privateKey ? certificates([fileCertificate(tls.clientCertificate, tls.privateKey)]) : {};
}

function serverCheck(tls: ClientTLSSettings, names: readonly string[]): CommonTlsContextJson {
  if (tls.insecureSkipVerify) return { validationContext: {} };
  const roots = tls.credentialName
    ? credentialRoots(tls.credentialName)
    : tls.caCertificates
      ? fileRoots(tls.caCertificates)
      : SYSTEM_ROOTS;
  return validation(roots, {
    ...(names.length > 0 && { matchTypedSubjectAltNames: exactNames(names) }),
    ...(tls.caCrl && { crl: { filename: tls.caCrl } }),
  });
}

/**
 * The socket of TLS to a server outside the mesh, modes SIMPLE and MUTUAL.
 *
 * @param to.names those of `subjectAltNames`, else of the registry
 */
export function originatedTls(
  tls: ClientTLSSettings,
  to: { names: readonly string[]; http2: boolean },
  config: ResolvedMeshConfig,
): TransportSocketJson {
  return upstreamTls({
    commonTlsContext: {
      tlsParams: { ...tlsParams, ...limits(config.tlsDefaults) },
      ...(to.http2 && { alpnProtocols: ['h2'] }),
      ...ownCertificate(tls),
      ...serverCheck(tls, to.names),
    },
    ...(tls.sni && { sni: tls.sni }),
  });
}

/** Who the server must be, as far as the request says: Istio takes its host for the server name, and checks it when no other name is known. */
export function namedByRequest(tls: ClientTLSSettings): { autoSni?: boolean; autoSanValidation?: boolean } {
  if (tls.sni) return {};
  return { autoSni: true, ...(!tls.subjectAltNames?.length && !tls.insecureSkipVerify && { autoSanValidation: true }) };
}
