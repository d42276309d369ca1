/** Asks a CA that is served elsewhere. */
import { request } from 'node:https';
import { FairleadError } from '../../src/errors.ts';
import { readCertificates } from '../../src/pki/certificate.ts';
import { identityOf } from '../../src/pki/svid.ts';
import { caIdentity } from './ca-identity.ts';
import type { IssuedCertificate } from './issue.ts';

export interface RemoteCa {
  /** `host:port`. */
  address: string;
  /** PEM of the trust bundle that its certificate must be under. */
  roots: string;
  /** Who asks: a certificate with its key, a join token or a JSON Web Token. */
  credentials: { chain: string; key: string } | { joinToken: string } | { jwt: string };
}

export interface RemoteWish {
  csr: string;
  identity?: string;
  dnsNames?: readonly string[];
  ttlSeconds?: number;
  replaces?: string;
}

const TIMEOUT_MS = 10_000;
const LARGEST_ANSWER = 1024 * 1024;

/** Has a request signed. Rejects with E_CA_REFUSED for what the CA says no to, E_CONNECTION_FAILED for what may work later. */
export async function signRemotely(ca: RemoteCa, wish: RemoteWish): Promise<IssuedCertificate> {
  return (await ask(ca, '/v1/sign', wish, 'did not sign')) as unknown as IssuedCertificate;
}

export interface RemoteReport {
  /** Of the trust bundle. */
  sequence: number;
  serials: readonly string[];
  name: string;
}

/** Tells what an agent has; resolves with what it should have. Rejects as `signRemotely` does. */
export async function reportRemotely(
  ca: RemoteCa,
  report: RemoteReport,
): Promise<{ sequence: number; renew: readonly string[]; roots?: string }> {
  const { sequence, renew, roots } = await ask(ca, '/v1/report', report, 'did not take the report');
  if (typeof sequence !== 'number' || !Array.isArray(renew))
    throw new FairleadError('E_CA_REFUSED', `the CA at ${ca.address} answered a report with something else`);
  return { sequence, renew: renew.filter((id) => typeof id === 'string'), ...(typeof roots === 'string' ? { roots } : {}) };
}

async function ask(ca: RemoteCa, path: string, what: object, failed: string): Promise<Record<string, unknown>> {
  const { status, body } = await post(ca, path, what);
  if (status === 200) return body;
  const { message = `it answered ${status}` } = (body['error'] ?? {}) as { message?: string };
  const later = status === 429 || status >= 500;
  throw new FairleadError(later ? 'E_CONNECTION_FAILED' : 'E_CA_REFUSED', `the CA at ${ca.address} ${failed}: ${message}`, {
    next: later ? 'Try again in a while.' : 'The CA’s audit log has it too.',
  });
}

function post(
  { address, roots, credentials }: RemoteCa,
  path: string,
  body: object,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const at = URL.parse(`https://${address}`);
  if (at === null || at.pathname !== '/' || at.port === '')
    throw new FairleadError('E_USAGE', `${JSON.stringify(address)} is not HOST:PORT`);
  const failed = (why: string): FairleadError =>
    new FairleadError('E_CONNECTION_FAILED', `the CA at ${address} cannot be asked: ${why}`, {
      next: 'Does `fairlead ca serve` run there?',
    });
  const own = 'chain' in credentials ? { cert: credentials.chain, key: credentials.key } : {};
  const authorization =
    'joinToken' in credentials
      ? { authorization: `Join ${credentials.joinToken}` }
      : 'jwt' in credentials
        ? { authorization: `Bearer ${credentials.jwt}` }
        : {};
  return new Promise((resolve, reject) => {
    const req = request({
      host: at.hostname.replace(/^\[|\]$/g, ''),
      port: at.port,
      path,
      method: 'POST',
      agent: false,
      ca: roots,
      ...own,
      headers: { 'content-type': 'application/json', ...authorization },
      timeout: TIMEOUT_MS,
      // It is known by its SPIFFE ID, whatever name leads to it.
      checkServerIdentity: (_host, { raw }) => caFault(raw, roots),
    });
    req.on('timeout', () => req.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    req.on('error', (error: NodeJS.ErrnoException) =>
      reject(failed(error.code === 'ECONNREFUSED' ? 'the connection is refused' : error.message)),
    );
    req.on('response', (res) => {
      let text = '';
      res.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        if (text.length > LARGEST_ANSWER) req.destroy(new Error('its answer is too large'));
      });
      res.on('end', () => {
        try {
          resolve({ status: res.statusCode ?? 0, body: JSON.parse(text) as Record<string, unknown> });
        } catch {
          reject(failed('its answer is not JSON'));
        }
      });
    });
    req.end(JSON.stringify(body));
  });
}

/** The roots say which trust domain's CA it must be. */
function caFault(raw: Buffer, roots: string): Error | undefined {
  const [leaf] = readCertificates(`-----BEGIN CERTIFICATE-----\n${raw.toString('base64')}\n-----END CERTIFICATE-----\n`);
  const id = leaf && identityOf(leaf);
  const wanted = id && caIdentity(id.trustDomain);
  const named = leaf?.sans.some(({ value }) => value === wanted);
  const domains = readCertificates(roots)
    .flatMap(({ sans }) => sans.map(({ value }) => value))
    .filter((value) => value.startsWith('spiffe://'));
  const ours = domains.length === 0 || domains.includes(`spiffe://${id?.trustDomain}`);
  return named && ours ? undefined : new Error('it is not the CA: its certificate is for somebody else');
}
