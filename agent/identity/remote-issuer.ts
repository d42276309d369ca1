/**
 * A CA that is served elsewhere. The agent joins with a token (or a JSON Web Token), gets a certificate of its own, and shows that one from
 * then on, for itself and for what the CA's policy lets it ask for. It is kept, so that a reboot needs no new token; renewed at half of
 * its life; and joined for again, from the token's file, when it has expired.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { FairleadError } from '../../src/errors.ts';
import { generateKey, keyToPem } from '../../src/pki/keys.ts';
import { PkiError } from '../../src/pki/pki-error.ts';
import { createRequest } from '../../src/pki/request.ts';
import { type RemoteCa, reportRemotely, signRemotely } from '../ca/client.ts';
import type { IssuedCertificate } from '../ca/issue.ts';
import type { Log } from '../log.ts';
import type { Issuer } from './issuer.ts';
import { type KeptCertificate, keptCertificate, renewalOf } from './kept-certificate.ts';
import type { IdentityStore, Trust } from './store.ts';

export interface RemoteIssuerOptions {
  /** `HOST:PORT`. */
  address: string;
  /** PEM file: what the CA's own certificate must be under, until newer roots come from it. */
  rootsFile: string;
  /** A file with a join token or a JSON Web Token; read anew whenever it is needed. undefined: only a kept certificate can ask. */
  tokenFile: string | undefined;
  /** Of the mesh. */
  trustDomain: string;
  /** How this agent is called in reports. */
  agent: string;
  store: IdentityStore;
  log: Log;
}

const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** Nothing is asked yet. */
export function openRemoteIssuer(options: RemoteIssuerOptions): Issuer {
  const { address, store, log, trustDomain } = options;
  const name = `the CA at ${address}`;
  let node = store.node();
  let renewAt = node ? renewalOf(node) : 0;
  let joining: Promise<KeptCertificate> | undefined;

  /** What the CA must be under: what it last said, unless the file has changed since then. */
  async function rootsNow(): Promise<{ roots: string; from: string }> {
    const file = await readFile(options.rootsFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw new FairleadError(
        'E_CERTIFICATE_UNREADABLE',
        `the CA’s roots cannot be read from ${options.rootsFile}: ${error.code ?? error.message}`,
        {
          next: 'Write them there with `fairlead ca bundle`.',
          cause: error,
        },
      );
    });
    const from = createHash('sha256').update(file).digest('hex');
    const kept = store.trust();
    return { roots: kept?.from === from && kept.trustDomain === trustDomain ? kept.roots : file, from };
  }

  async function ca(credentials: RemoteCa['credentials']): Promise<RemoteCa & { from: string }> {
    const { roots, from } = await rootsNow();
    return { address, roots, credentials, from };
  }

  function trusted(trust: Pick<Trust, 'sequence' | 'roots'>, from: string): void {
    const kept = store.trust();
    if (kept?.sequence === trust.sequence && kept.roots === trust.roots && kept.from === from && kept.trustDomain === trustDomain) return;
    store.keepTrust({ trustDomain, sequence: trust.sequence, roots: trust.roots, from });
  }

  /** The certificate to show: the one that is there, renewed in time, or a new one for the token. */
  async function ensureNode(): Promise<KeptCertificate> {
    const now = Date.now();
    const valid = node !== undefined && node.notBefore.getTime() <= now && now < node.notAfter.getTime();
    if (valid && now < renewAt) return node as KeptCertificate;
    joining ??= (valid ? renew(node as KeptCertificate) : join()).finally(() => {
      joining = undefined;
    });
    return joining.catch((error: unknown) => {
      // As long as it is good, what is asked for is asked for with it.
      if (node === undefined || Date.now() >= node.notAfter.getTime()) throw error;
      log.warning('the agent’s own certificate is not renewed', { ca: address, why: (error as Error).message });
      renewAt = Date.now() + Math.min(60_000, (node.notAfter.getTime() - Date.now()) / 4);
      return node;
    });
  }

  async function renew(current: KeptCertificate): Promise<KeptCertificate> {
    return asked(await ca(shown(current)));
  }

  async function join(): Promise<KeptCertificate> {
    const { tokenFile } = options;
    const none = node === undefined ? 'this agent has no certificate yet' : `its certificate expired ${node.notAfter.toISOString()}`;
    const next = 'Make a token with `fairlead ca token spiffe://TRUST-DOMAIN/fairlead/node/NAME` and name its file with --ca-token-file.';
    if (tokenFile === undefined)
      throw new FairleadError('E_CA_REFUSED', `${name} cannot be asked: ${none}, and there is no token`, { next });
    const token = await readFile(tokenFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw new FairleadError('E_CA_REFUSED', `${name} cannot be asked: ${none}, and ${tokenFile} cannot be read (${error.code})`, {
        next,
        cause: error,
      });
    });
    const text = token.trim();
    if (text === '') throw new FairleadError('E_CA_REFUSED', `${name} cannot be asked: ${none}, and ${tokenFile} is empty`, { next });
    const joined = await asked(await ca(JWT.test(text) ? { jwt: text } : { joinToken: text }));
    log.info('joined', { ca: address, identity: joined.identity, until: joined.notAfter.toISOString() });
    return joined;
  }

  /** A certificate for whoever asks. */
  async function asked(from: RemoteCa & { from: string }): Promise<KeptCertificate> {
    const key = await generateKey('ec-p256');
    const issued = await signRemotely(from, { csr: createRequest(key, []) });
    const made = accepted(keyToPem(key), issued);
    trusted(issued, from.from);
    store.keepNode(made);
    node = made;
    renewAt = renewalOf(made);
    return made;
  }

  function accepted(key: string, issued: IssuedCertificate): KeptCertificate {
    try {
      const made = keptCertificate(key, issued.chain);
      if (made) return made;
    } catch (error) {
      if (!(error instanceof PkiError)) throw error;
    }
    throw new FairleadError('E_CA_REFUSED', `${name} answered with something else than a certificate for the key that asked`);
  }

  return {
    name,
    async issue({ identity, dnsNames, key, lifeMs, replaces }) {
      const from = await ca(shown(await ensureNode()));
      const ttl = lifeMs === undefined ? {} : { ttlSeconds: Math.max(1, Math.floor(lifeMs / 1000)) };
      const wish = { csr: createRequest(key, []), identity, dnsNames, ...ttl, ...(replaces === undefined ? {} : { replaces }) };
      const issued = await signRemotely(from, wish);
      trusted(issued, from.from);
      return issued;
    },
    async report({ sequence, serials }) {
      const mine = await ensureNode();
      const from = await ca(shown(mine));
      const due = await reportRemotely(from, { sequence, serials: [...serials, mine.serial], name: options.agent });
      if (due.roots !== undefined) trusted({ sequence: due.sequence, roots: due.roots }, from.from);
      if (due.renew.includes(mine.authority)) renewAt = 0;
      return due;
    },
    own: () => node && { identity: node.identity, notAfter: node.notAfter, renewAt: new Date(renewAt) },
    close: () => undefined,
  };
}

const shown = ({ chain, key }: KeptCertificate): { chain: string; key: string } => ({ chain, key });
