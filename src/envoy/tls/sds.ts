import type { SdsSecretConfigJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';

/** The workload's own certificate, and the roots that peers in the mesh are checked against. */
export const WORKLOAD_CERTIFICATE = 'default';
export const MESH_ROOTS = 'ROOTCA';
/** The certification authorities that the system trusts. */
export const SYSTEM_ROOTS = 'file-root:system';

export function fileCertificate(certificate: string, key: string): string {
  return `file-cert:${certificate}~${key}`;
}

/** `system` is the system's own. */
export function fileRoots(path: string): string {
  return `file-root:${path}`;
}

const schemes = /^(?:kubernetes|kubernetes-gateway|configmap):\/\//;

/** The certificate of a `credentialName`. `builtin://` is the workload's own. */
export function credentialCertificate(name: string): string {
  if (name.startsWith('builtin://')) return WORKLOAD_CERTIFICATE;
  return schemes.test(name) ? name : `kubernetes://${name}`;
}

/** The CA certificates of a `credentialName`; a ConfigMap has nothing else. */
export function credentialRoots(name: string): string {
  if (name.startsWith('builtin://')) return MESH_ROOTS;
  if (name.startsWith('configmap://')) return name;
  const certificate = credentialCertificate(name);
  return certificate.endsWith('-cacert') ? certificate : `${certificate}-cacert`;
}

/** How long a listener or cluster waits for a certificate that users name, before what does not need it goes into service. */
const patience = '2s';

/**
 * A secret by name. Every engine gets secrets over the stream of the rest of the configuration. Those of the mesh always come, so that
 * is waited for without end; those that users name may not be there, and must not keep all else from serving.
 */
export function secret(name: string): SdsSecretConfigJson {
  const always = name === WORKLOAD_CERTIFICATE || name === MESH_ROOTS;
  return { name, sdsConfig: { ads: {}, initialFetchTimeout: always ? '0s' : patience, resourceApiVersion: 'V3' } };
}
