/**
 * Certificates by the CSR API: a CertificateSigningRequest for each, which the CA's `ca serve -k` approves by its policy and signs. The roots are
 * in a file, which a ConfigMap is mounted as. https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/
 */
import { readFileSync } from 'node:fs';
import { FairleadError } from '../../src/errors.ts';
import { ApiStatusError } from '../../src/kubernetes/api-error.ts';
import { pause } from '../../src/kubernetes/back-off.ts';
import type { ApiClient } from '../../src/kubernetes/client.ts';
import { type Certificate, readCertificates } from '../../src/pki/certificate.ts';
import { PkiError } from '../../src/pki/pki-error.ts';
import { createRequest } from '../../src/pki/request.ts';
import { verifyChain } from '../../src/pki/verify.ts';
import type { IssuedCertificate } from '../ca/issue.ts';
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
/** A watch that was cut is made anew after this. */
const AGAIN_MS = 500;

interface Csr {
  metadata: { name: string; resourceVersion?: string };
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

  /** Files have no number: it grows whenever what is in the file is not what was taken over. */
  function sequenceOf(roots: string): number {
    const kept = store.trust();
    const same = kept?.trustDomain === trustDomain && kept.roots === roots;
    return same ? kept.sequence : (kept?.sequence ?? 0) + 1;
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

  async function ask({ identity, dnsNames, key, lifeMs }: CertificateWish): Promise<Csr> {
    const sans = [{ type: 'uri' as const, value: identity }, ...dnsNames.map((value) => ({ type: 'dns' as const, value }))];
    const body = {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { generateName: 'fairlead-', ...(nodeName ? { labels: { 'fairlead.dev/node': nodeName } } : {}) },
      spec: {
        signerName: SIGNER,
        request: Buffer.from(createRequest(key, sans)).toString('base64'),
        usages: ['digital signature', 'client auth', 'server auth'],
        ...(lifeMs === undefined ? {} : { expirationSeconds: Math.max(SHORTEST_LIFE_MS / 1000, Math.floor(lifeMs / 1000)) }),
      },
    };
    return (await cluster.request(PATH, { method: 'POST', body, signal: stop.signal })) as Csr;
  }

  /** The chain, once it is there. */
  async function answered(made: Csr, identity: string): Promise<string> {
    const csr = made.metadata.name;
    const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(patienceMs)]);
    const query = (version: string): string =>
      `${PATH}?${new URLSearchParams({ watch: '1', fieldSelector: `metadata.name=${csr}`, resourceVersion: version })}`;
    let now = made;
    while (!signal.aborted) {
      const chain = chainOf(now, identity, name);
      if (chain !== undefined) return chain;
      try {
        const events = await cluster.watch(query(now.metadata.resourceVersion ?? ''), { signal, silenceMs: patienceMs });
        for await (const { type, object } of events) {
          if (type === 'DELETED')
            throw new FairleadError('E_CA_REFUSED', `${name} does not sign ${identity}: the request ${csr} was deleted`);
          if (type === 'ERROR') break;
          const found = chainOf(object as unknown as Csr, identity, name);
          if (found !== undefined) return found;
        }
      } catch (error) {
        if (error instanceof FairleadError && error.code === 'E_CA_REFUSED') throw error;
        if (signal.aborted) break;
        await pause(AGAIN_MS * (0.5 + Math.random()), signal);
      }
      if (signal.aborted) break;
      now = (await cluster.request(`${PATH}/${csr}`, { signal }).catch((error: unknown) => {
        if (error instanceof ApiStatusError && error.status === 404)
          throw new FairleadError('E_CA_REFUSED', `${name} does not sign ${identity}: the request ${csr} was deleted`);
        return now;
      })) as Csr;
    }
    stop.signal.throwIfAborted();
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
          sequence: sequenceOf(roots),
          chain,
          roots,
        };
      }),
    async report({ sequence, serials }) {
      const roots = rootsNow();
      const now = sequenceOf(roots);
      const held = new Set(serials);
      const lost = store.certificates().filter((c) => {
        const [leaf, ...others] = readCertificates(c.chain);
        return held.has(c.serial) && leaf !== undefined && rootFault(leaf, others, roots) !== undefined;
      });
      const renew = [...new Set(lost.map(({ authority }) => authority))];
      return { sequence: now, renew, ...(sequence === now ? {} : { roots }) };
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
