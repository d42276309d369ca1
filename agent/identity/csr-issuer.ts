/**
 * Certificates by the CSR API: a CertificateSigningRequest for each, which the CA's `ca serve -k` approves by its policy and signs. The roots are
 * in a file, which a ConfigMap is mounted as. https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FairleadError } from '../../src/errors.ts';
import { ApiStatusError } from '../../src/kubernetes/api-error.ts';
import { pause } from '../../src/kubernetes/back-off.ts';
import type { ApiClient } from '../../src/kubernetes/client.ts';
import { type Certificate, readCertificates } from '../../src/pki/certificate.ts';
import { PkiError } from '../../src/pki/pki-error.ts';
import { createRequest } from '../../src/pki/request.ts';
import { verifyChain } from '../../src/pki/verify.ts';
import type { IssuedCertificate } from '../ca/issue.ts';
import { BUNDLE_ANNOTATION, REPLACES_ANNOTATION } from '../ca/requests/signing-request.ts';
import { watchPaths } from '../source/folder.ts';
import type { CertificateWish, Issuer } from './issuer.ts';
import type { IdentityStore } from './store.ts';

export interface CsrIssuerOptions {
  cluster: ApiClient;
  /** PEM. */
  rootsFile: string;
  /** Of the mesh. */
  trustDomain: string;
  /** This agent's node; a label of its requests. */
  nodeName: string | undefined;
  store: Pick<IdentityStore, 'certificates' | 'trust'>;
  /** How long a request may wait for its certificate, milliseconds. */
  patienceMs?: number;
}

const SIGNER = 'fairlead.dev/mesh';
/** Kubernetes takes no shorter life. */
const SHORTEST_LIFE_MS = 600_000;

const PATH = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
const PATIENCE_MS = 60_000;
/** Requests under way: many pods that start together do not become as many requests at once. */
const MOST = 4;
/** Between looks at a request, at first and at last, milliseconds. */
const FIRST_LOOK_MS = 50;
const LAST_LOOK_MS = 1000;

interface Csr {
  metadata: { name: string };
  status?: { certificate?: string; conditions?: readonly { type: string; reason?: string; message?: string }[] };
}

/** Nothing is asked yet. Watches the roots until it is closed. */
export function openCsrIssuer(options: CsrIssuerOptions): Issuer {
  const { cluster, rootsFile, trustDomain, nodeName, store, patienceMs = PATIENCE_MS } = options;
  const name = `the CA behind the CSR API of ${cluster.context}`;
  const stop = new AbortController();
  const news = new Set<() => void>();
  const waiting: (() => void)[] = [];
  let busy = 0;
  /** The trust bundle that all of this agent's proxies have. */
  let inForce: number | undefined;
  const watched = watchPaths([rootsFile], () => {
    for (const tell of news) tell();
  });
  watched.catch(() => undefined);

  function rootsNow(): string {
    let roots: string;
    try {
      roots = readFileSync(rootsFile, 'utf8');
      readCertificates(roots);
    } catch (error) {
      const why = error instanceof PkiError ? error.message : ((error as NodeJS.ErrnoException).code ?? (error as Error).message);
      throw new FairleadError('E_CERTIFICATE_UNREADABLE', `the CA’s roots cannot be read from ${rootsFile}: ${why}`, {
        next: 'The CA writes them into its ConfigMap when it starts; mount that.',
        cause: error,
      });
    }
    return roots;
  }

  /**
   * What the CA says of its roots beside them (`trust.json` of its ConfigMap). A file alone has no number: it grows then whenever what is in
   * the file is not what was taken over.
   */
  function trustNow(roots: string): { sequence: number; renew: readonly string[] } {
    const kept = store.trust();
    const same = kept?.trustDomain === trustDomain && kept.roots === roots;
    try {
      const { sequence, renew } = JSON.parse(readFileSync(join(dirname(rootsFile), 'trust.json'), 'utf8')) as Record<string, unknown>;
      if (typeof sequence === 'number' && Array.isArray(renew)) return { sequence, renew: renew.map(String) };
    } catch {
      // It need not be there.
    }
    return { sequence: same ? kept.sequence : (kept?.sequence ?? 0) + 1, renew: [] };
  }

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (busy < MOST) busy++;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      stop.signal.throwIfAborted();
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else busy--;
    }
  }

  async function ask({ identity, dnsNames, key, lifeMs, replaces }: CertificateWish): Promise<Csr> {
    const sans = [{ type: 'uri' as const, value: identity }, ...dnsNames.map((value) => ({ type: 'dns' as const, value }))];
    const body = {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: {
        generateName: 'fairlead-',
        ...(nodeName ? { labels: { 'fairlead.dev/node': nodeName } } : {}),
        annotations: {
          ...(replaces === undefined ? {} : { [REPLACES_ANNOTATION]: replaces }),
          ...(inForce === undefined ? {} : { [BUNDLE_ANNOTATION]: String(inForce) }),
        },
      },
      spec: {
        signerName: SIGNER,
        request: Buffer.from(createRequest(key, sans)).toString('base64'),
        usages: ['digital signature', 'client auth', 'server auth'],
        ...(lifeMs === undefined ? {} : { expirationSeconds: Math.max(SHORTEST_LIFE_MS / 1000, Math.floor(lifeMs / 1000)) }),
      },
    };
    return (await cluster.request(PATH, { method: 'POST', body, signal: stop.signal })) as Csr;
  }

  /** The chain, once it is there. Asked for by name again and again: an agent needs no right to see the requests of others. */
  async function answered(made: Csr, identity: string): Promise<string> {
    const csr = made.metadata.name;
    const late = Date.now() + patienceMs;
    let now = made;
    for (let wait = FIRST_LOOK_MS; ; wait = Math.min(wait * 1.5, LAST_LOOK_MS)) {
      const chain = chainOf(now, identity, name);
      if (chain !== undefined) return chain;
      if (Date.now() >= late) break;
      await pause(wait * (0.75 + Math.random() / 2), stop.signal);
      stop.signal.throwIfAborted();
      now = (await cluster.request(`${PATH}/${csr}`, { signal: stop.signal }).catch((error: unknown) => {
        if (error instanceof ApiStatusError && error.status === 404)
          throw new FairleadError('E_CA_REFUSED', `${name} does not sign ${identity}: the request ${csr} was deleted`);
        // An API server that is away may be back in time.
        if (Date.now() >= late || (error instanceof FairleadError && error.code === 'E_CLUSTER_FORBIDDEN')) throw error;
        return now;
      })) as Csr;
    }
    throw new FairleadError('E_CA_WAITING', `nobody has signed the request ${csr} for ${identity} within ${patienceMs / 1000} s`, {
      next: `See whether \`fairlead ca serve -k\` runs, and \`kubectl describe csr ${csr}\`.`,
    });
  }

  return {
    name,
    issue: (wish) =>
      inTurn(async (): Promise<IssuedCertificate> => {
        const { identity } = wish;
        rootsNow();
        const chain = await answered(await ask(wish), identity);
        const roots = rootsNow();
        const [leaf, ...others] = readChain(chain, identity, name);
        const fault = rootFault(leaf, others, roots);
        if (fault)
          throw new FairleadError('E_CA_REFUSED', `what ${name} gave for ${identity} is not under the roots in ${rootsFile}: ${fault}`, {
            next: 'The CA may be rotating its roots: the file follows its ConfigMap within a minute or two.',
          });
        const { serial, notAfter, authorityKeyId = '' } = leaf;
        return {
          identity,
          serial,
          notAfter: notAfter.toISOString(),
          authority: authorityKeyId.slice(0, 12),
          sequence: trustNow(roots).sequence,
          chain,
          roots,
        };
      }),
    async report({ sequence, serials }) {
      const roots = rootsNow();
      const now = trustNow(roots);
      inForce = sequence;
      const held = new Set(serials);
      const lost = store.certificates().filter((c) => {
        const [leaf, ...others] = readCertificates(c.chain);
        return held.has(c.serial) && leaf !== undefined && rootFault(leaf, others, roots) !== undefined;
      });
      const renew = [...new Set([...now.renew, ...lost.map(({ authority }) => authority)])];
      return { sequence: now.sequence, renew, ...(sequence === now.sequence ? {} : { roots }) };
    },
    own: () => undefined,
    onNews(listener) {
      news.add(listener);
    },
    close() {
      stop.abort(new FairleadError('E_CA_WAITING', 'it is no longer wanted'));
      void watched.then((w) => w.close()).catch(() => undefined);
    },
  };
}

/** undefined while there is none. Throws E_CA_REFUSED for a request that will never be signed. */
function chainOf({ metadata, status }: Csr, identity: string, ca: string): string | undefined {
  const { conditions = [], certificate } = status ?? {};
  const bad = conditions.find(({ type }) => type === 'Denied' || type === 'Failed');
  if (bad) {
    const word = bad.type === 'Denied' ? 'denies' : 'cannot sign';
    const why = [bad.reason, bad.message].filter(Boolean).join(': ') || 'no reason given';
    throw new FairleadError('E_CA_REFUSED', `${ca} ${word} ${identity} (request ${metadata.name}): ${why}`, {
      next: 'See who may have which identity: --node-agents of `ca serve`, and policy.yaml in the CA’s directory.',
    });
  }
  return certificate ? Buffer.from(certificate, 'base64').toString('utf8') : undefined;
}

function readChain(chain: string, identity: string, ca: string): [Certificate, ...Certificate[]] {
  try {
    const [leaf, ...others] = readCertificates(chain);
    if (leaf) return [leaf, ...others];
  } catch (error) {
    if (!(error instanceof PkiError)) throw error;
  }
  throw new FairleadError('E_CA_REFUSED', `${ca} answered with something else than a certificate for ${identity}`);
}

/** Why nobody who trusts these roots takes it; undefined when they do. */
function rootFault(leaf: Certificate, others: readonly Certificate[], roots: string): string | undefined {
  const { faults } = verifyChain(leaf, others, readCertificates(roots), { at: leaf.notBefore });
  return faults.find(({ code }) => code === 'unknown-root' || code === 'bad-signature')?.message;
}
