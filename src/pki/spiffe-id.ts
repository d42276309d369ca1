/** SPIFFE IDs: https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md, section 2. */

export interface SpiffeId {
  readonly trustDomain: string;
  /** With its leading slash; empty for a trust domain's own ID. */
  readonly path: string;
}

/** Section 2.3: what every implementation must take. */
export const MAX_SPIFFE_ID_BYTES = 2048;
const MAX_TRUST_DOMAIN_BYTES = 255;

/** Why a trust domain's name is none; undefined when it is one. */
export function trustDomainProblem(name: string): string | undefined {
  if (name === '') return 'the trust domain is empty';
  if (name.length > MAX_TRUST_DOMAIN_BYTES) return `the trust domain is longer than ${MAX_TRUST_DOMAIN_BYTES} bytes`;
  const bad = /[^a-z0-9._-]/.exec(name);
  return bad ? `the trust domain has ${JSON.stringify(bad[0])}; lower-case letters, digits, '.', '-' and '_' are allowed` : undefined;
}

function pathProblem(path: string): string | undefined {
  if (path === '') return undefined;
  for (const segment of path.slice(1).split('/')) {
    if (segment === '') return 'the path has an empty segment or ends with a slash';
    if (segment === '.' || segment === '..') return `the path has the segment ${segment}`;
    const bad = /[^A-Za-z0-9._-]/.exec(segment);
    if (bad) return `the path has ${JSON.stringify(bad[0])}; letters, digits, '.', '-' and '_' are allowed`;
  }
  return undefined;
}

export type SpiffeIdOutcome = { ok: true; id: SpiffeId } | { ok: false; reason: string };

/** Reads a SPIFFE ID by the letter of the standard: no port, query, user, fragment or percent-encoding. Schemes are written in lower case. */
export function parseSpiffeId(text: string): SpiffeIdOutcome {
  if (Buffer.byteLength(text) > MAX_SPIFFE_ID_BYTES) return { ok: false, reason: `it is longer than ${MAX_SPIFFE_ID_BYTES} bytes` };
  if (!text.startsWith('spiffe://')) return { ok: false, reason: 'it does not begin with spiffe://' };
  const rest = text.slice('spiffe://'.length);
  const slash = rest.indexOf('/');
  const trustDomain = slash === -1 ? rest : rest.slice(0, slash);
  const path = slash === -1 ? '' : rest.slice(slash);
  const reason = trustDomainProblem(trustDomain) ?? pathProblem(path);
  return reason === undefined ? { ok: true, id: { trustDomain, path } } : { ok: false, reason };
}

export function formatSpiffeId({ trustDomain, path }: SpiffeId): string {
  return `spiffe://${trustDomain}${path}`;
}

/** Istio's identity of a workload: `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`; `@` in a trust domain becomes `.`. */
export function workloadIdentity(trustDomain: string, namespace: string, serviceAccount: string): string {
  return `spiffe://${trustDomain.replaceAll('@', '.')}/ns/${namespace}/sa/${serviceAccount}`;
}
