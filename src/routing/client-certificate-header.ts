import type { HttpConnectionManagerJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { removeHeader, setHeader } from './header-mutation.ts';
import type { PeerCertificate } from './peer-certificate.ts';
import type { ProblemList } from './problems.ts';

const XFCC = 'x-forwarded-client-cert';

/** What both sides of a connection showed. */
export interface Certificates {
  readonly peer: PeerCertificate | undefined;
  readonly local: PeerCertificate | undefined;
}

/** What happens to x-forwarded-client-cert; `headers` change in place. */
export type ClientCertificateHeader = (headers: string[], tls: Certificates | undefined) => void;

/** forward_client_cert_details and set_current_client_cert_details. Envoy: ConnectionManagerUtility::mutateXfccRequestHeader. */
export function compileClientCertificateHeader(
  json: HttpConnectionManagerJson,
  path: string,
  problems: ProblemList,
): ClientCertificateHeader {
  const mode = json.forwardClientCertDetails ?? 'SANITIZE';
  const details = json.setCurrentClientCertDetails ?? {};
  if (details.chain === true) problems.unsupported(`${path}.setCurrentClientCertDetails.chain`, "use cert: the client's own certificate");
  if (mode === 'ALWAYS_FORWARD_ONLY') return () => undefined;
  return (headers, tls) => {
    const peer = tls?.peer;
    if (mode === 'SANITIZE' || peer === undefined) {
      removeHeader(headers, XFCC);
      return;
    }
    if (mode === 'FORWARD_ONLY') return;
    const parts: string[] = [];
    const by = tls!.local?.uriSans[0];
    if (by !== undefined) parts.push(`By=${by}`);
    parts.push(`Hash=${peer.sha256}`);
    if (details.cert === true) parts.push(`Cert="${peer.pem ?? ''}"`);
    if (details.subject === true) parts.push(`Subject="${peer.subject}"`);
    if (details.uri === true) parts.push(`URI=${peer.uriSans[0] ?? ''}`);
    if (details.dns === true) for (const name of peer.dnsSans) parts.push(`DNS=${name}`);
    const own = parts.join(';');
    const before = mode === 'APPEND_FORWARD' ? current(headers) : undefined;
    setHeader(headers, XFCC, before === undefined || before === '' ? own : `${before},${own}`);
  };
}

function current(headers: readonly string[]): string | undefined {
  let value: string | undefined;
  for (let i = 0; i < headers.length; i += 2)
    if (headers[i] === XFCC) value = value === undefined ? headers[i + 1]! : `${value},${headers[i + 1]}`;
  return value;
}
