import type { TransportSocketJson } from '#envoy-api/envoy/config/core/v3/base_pb.js';
import type {
  CertificateValidationContextJson,
  TlsParametersJson,
} from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/common_pb.js';
import type { ServerTLSSettings } from '../../config/kinds/networking.ts';
import type { ResolvedMeshConfig } from '../../mesh/types.ts';
import { certificates, downstreamTls, limits, tlsVersion, validation } from './context.ts';
import { exactNames } from './san-matchers.ts';
import { credentialCertificate, credentialRoots, fileCertificate, fileRoots, MESH_ROOTS, WORKLOAD_CERTIFICATE } from './sds.ts';

/** What a terminating server shows, and the roots that its clients are checked against; undefined: clients show nothing. */
interface Credentials {
  certificates: readonly string[];
  roots: string | undefined;
}

/** Whether TLS ends at the server; else it is passed on as it is, which is what no mode means too. */
export function endsTls({ mode }: ServerTLSSettings): boolean {
  return mode !== undefined && mode !== 'PASSTHROUGH' && mode !== 'AUTO_PASSTHROUGH';
}

const asksClients = (tls: ServerTLSSettings): boolean => tls.mode === 'MUTUAL' || tls.mode === 'OPTIONAL_MUTUAL';

/**
 * The secrets of a server that ends TLS, or why there are none. With `credentialNames` the CA is the first one's (Istio).
 *
 * @see https://istio.io/latest/docs/reference/config/networking/gateway/#ServerTLSSettings
 */
export function serverCredentials(tls: ServerTLSSettings): Credentials | { missing: string } {
  if (tls.mode === 'ISTIO_MUTUAL') return { certificates: [WORKLOAD_CERTIFICATE], roots: MESH_ROOTS };
  const named = tls.credentialName ? [tls.credentialName] : (tls.credentialNames ?? []);
  const external = named.find((n) => n.startsWith('sds://'));
  if (external !== undefined) return { missing: `${external} is a secret of another server, which nothing asks` };
  const files = tls.tlsCertificates?.length ? tls.tlsCertificates : [tls];
  const shown =
    named.length > 0
      ? named.map(credentialCertificate)
      : files.flatMap(({ serverCertificate: c, privateKey: k }) => (c && k ? [fileCertificate(c, k)] : []));
  if (shown.length === 0)
    return { missing: `mode ${tls.mode ?? 'SIMPLE'} needs a certificate: credentialName, or serverCertificate and privateKey` };
  if (!asksClients(tls)) return { certificates: shown, roots: undefined };
  const roots = tls.caCertCredentialName
    ? credentialRoots(tls.caCertCredentialName)
    : named.length > 0
      ? credentialRoots(named[0]!)
      : (tls.caCertificates ?? files.find((f) => f.caCertificates)?.caCertificates);
  if (!roots) return { missing: `mode ${tls.mode} needs the CA certificates that clients are checked against: caCertificates` };
  return { certificates: shown, roots: named.length > 0 || tls.caCertCredentialName ? roots : fileRoots(roots) };
}

function parameters(tls: ServerTLSSettings, config: ResolvedMeshConfig): TlsParametersJson {
  if (tls.mode === 'ISTIO_MUTUAL') return {};
  const oldest = tlsVersion(tls.minProtocolVersion);
  const newest = tlsVersion(tls.maxProtocolVersion);
  return {
    ...limits(config.tlsDefaults),
    ...(oldest && { tlsMinimumProtocolVersion: oldest }),
    ...(newest && { tlsMaximumProtocolVersion: newest }),
    ...(tls.cipherSuites?.length && { cipherSuites: tls.cipherSuites }),
  };
}

function clientChecks(tls: ServerTLSSettings): CertificateValidationContextJson {
  return {
    ...(tls.subjectAltNames?.length && { matchTypedSubjectAltNames: exactNames(tls.subjectAltNames) }),
    ...(tls.verifyCertificateSpki?.length && { verifyCertificateSpki: tls.verifyCertificateSpki }),
    ...(tls.verifyCertificateHash?.length && { verifyCertificateHash: tls.verifyCertificateHash }),
    ...(tls.caCrl && { crl: { filename: tls.caCrl } }),
  };
}

/** The socket of a server that ends TLS; undefined when it has no certificate (see serverCredentials). */
export function serverSocket(tls: ServerTLSSettings, config: ResolvedMeshConfig, speaks: 'http' | 'tcp'): TransportSocketJson | undefined {
  const credentials = serverCredentials(tls);
  if ('missing' in credentials) return undefined;
  const tlsParams = parameters(tls, config);
  const exchange = tls.mode === 'ISTIO_MUTUAL' && speaks === 'tcp';
  return downstreamTls({
    commonTlsContext: {
      ...(Object.keys(tlsParams).length > 0 && { tlsParams }),
      alpnProtocols: [...(exchange ? ['istio-peer-exchange'] : []), 'h2', 'http/1.1'],
      ...certificates(credentials.certificates),
      ...(credentials.roots !== undefined && validation(credentials.roots, clientChecks(tls))),
    },
    requireClientCertificate: tls.mode === 'MUTUAL' || tls.mode === 'ISTIO_MUTUAL',
  });
}
