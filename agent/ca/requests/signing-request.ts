/** CertificateSigningRequests as the API server has them, read. https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/ */
import { PkiError } from '../../../src/pki/pki-error.ts';
import { type CertificateRequest, readRequest } from '../../../src/pki/request.ts';
import { parseSpiffeId } from '../../../src/pki/spiffe-id.ts';

export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
}

/** What is kept of one: all that answers need. */
export interface SigningRequest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; uid?: string; resourceVersion?: string; annotations?: Record<string, string> };
  spec: {
    signerName: string;
    /** Base64 of PEM. */
    request: string;
    usages?: string[];
    expirationSeconds?: number;
    /** Written by the API server, of whoever has made it. */
    username?: string;
    extra?: Record<string, string[]>;
  };
  status?: { conditions?: Condition[]; certificate?: string };
}

/** The serial number of the certificate that it replaces, in lower-case hex. */
export const REPLACES_ANNOTATION = 'fairlead.dev/replaces';
/** The sequence of the trust bundle that the requester has. */
export const BUNDLE_ANNOTATION = 'fairlead.dev/trust-bundle';

/** What it asks for. */
export interface Wanted {
  identity: string;
  request: CertificateRequest;
  dnsNames: readonly string[];
  lifeMs: number | undefined;
  replaces: string | undefined;
  /** The trust bundle that the requester says it has. */
  bundle: number | undefined;
}

/** Why there will be no certificate: a condition's reason and message. */
export interface Refusal {
  reason: string;
  message: string;
}

export const hasCondition = ({ status }: SigningRequest, type: string): boolean =>
  (status?.conditions ?? []).some((condition) => condition.type === type && condition.status === 'True');

/** Nothing is left to do: it was refused, has failed, or has its certificate. */
export const isSettled = (request: SigningRequest): boolean =>
  Boolean(request.status?.certificate) || hasCondition(request, 'Denied') || hasCondition(request, 'Failed');

/** The copy that is kept: without managedFields and what nobody reads. */
export function slimRequest(item: Record<string, unknown>): SigningRequest {
  const { metadata, spec, status } = item as unknown as SigningRequest;
  const { name, uid, resourceVersion, annotations } = metadata;
  const kept = {
    name,
    ...(uid ? { uid } : {}),
    ...(resourceVersion ? { resourceVersion } : {}),
    ...(annotations ? { annotations } : {}),
  };
  return {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: kept,
    spec,
    ...(status ? { status } : {}),
  };
}

/** What every certificate of the mesh is for (X509-SVID, 4.4), and what RSA keys may be used for besides. */
const USAGES = ['digital signature', 'client auth', 'server auth'];
const MORE_USAGES = ['key encipherment'];

/** What is asked for, or why that is no request for a certificate of the mesh. Who asks is not looked at. */
export function readSigningRequest({ spec, metadata: { annotations = {} } }: SigningRequest): Wanted | Refusal {
  const usages = spec.usages ?? [];
  const odd = usages.filter((usage) => !USAGES.includes(usage) && !MORE_USAGES.includes(usage));
  if (odd.length > 0) return refusal('UnsupportedUsages', `certificates of the mesh are not for ${odd.join(', ')}`);
  const missing = USAGES.filter((usage) => !usages.includes(usage));
  if (missing.length > 0)
    return refusal('UnsupportedUsages', `certificates of the mesh are for ${USAGES.join(', ')}; its usages lack ${missing.join(', ')}`);
  const malformed = (message: string): Refusal => refusal('MalformedRequest', message);
  let request: CertificateRequest;
  try {
    request = readRequest(Buffer.from(spec.request, 'base64').toString('latin1'));
  } catch (error) {
    if (!(error instanceof PkiError)) throw error;
    return malformed(error.message);
  }
  const uris = request.sans.filter(({ type }) => type === 'uri');
  const [uri] = uris;
  if (uri === undefined || uris.length > 1)
    return malformed(`the request must name one SPIFFE ID as its only URI (subjectAltName); it has ${uris.length} URIs`);
  const parsed = parseSpiffeId(uri.value);
  if (!parsed.ok) return malformed(`${JSON.stringify(uri.value.slice(0, 300))} is no SPIFFE ID: ${parsed.reason}`);
  if (parsed.id.path === '') return malformed(`${uri.value} names a trust domain, not a workload`);
  const other = request.sans.find(({ type }) => type !== 'uri' && type !== 'dns');
  if (other) return malformed(`certificates of the mesh have a SPIFFE ID and host names; the request has a name of the type ${other.type}`);
  const replaces = annotations[REPLACES_ANNOTATION];
  if (replaces !== undefined && !/^[0-9a-f]{1,64}$/.test(replaces))
    return malformed(`the annotation ${REPLACES_ANNOTATION} must be a serial number in lower-case hex`);
  const bundle = annotations[BUNDLE_ANNOTATION];
  if (bundle !== undefined && !/^\d{1,9}$/.test(bundle)) return malformed(`the annotation ${BUNDLE_ANNOTATION} must be a number`);
  return {
    identity: uri.value,
    request,
    dnsNames: request.sans.filter(({ type }) => type === 'dns').map(({ value }) => value),
    lifeMs: spec.expirationSeconds === undefined ? undefined : spec.expirationSeconds * 1000,
    replaces,
    bundle: bundle === undefined ? undefined : Number(bundle),
  };
}

export const refusal = (reason: string, message: string): Refusal => ({ reason, message });
