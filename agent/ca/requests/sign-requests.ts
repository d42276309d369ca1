/**
 * The signer of CertificateSigningRequests: watches those of its name, approves by the CA's policy, signs, and writes the answer. Requests of other
 * signers are not even seen. Somebody else's approval (`kubectl certificate approve`) neither is needed nor suffices: who may have which
 * identity is the policy's to say.
 */
import { FairleadError } from '../../../src/errors.ts';
import { ApiStatusError } from '../../../src/kubernetes/api-error.ts';
import { createBackOff } from '../../../src/kubernetes/back-off.ts';
import type { ApiClient } from '../../../src/kubernetes/client.ts';
import { createReachability } from '../../../src/kubernetes/reachability.ts';
import { WATCH_TIMING, watchCollection } from '../../../src/kubernetes/watch-collection.ts';
import type { Log } from '../../log.ts';
import { type IssuedCertificate, writeRefusal } from '../issue.ts';
import { issueReserved, type Signing } from '../issue-reserved.ts';
import { refusalFor } from '../policy.ts';
import { createAnswers } from './answers.ts';
import { type NodeAgents, requesterOf } from './requester.ts';
import {
  hasCondition,
  isSettled,
  type Refusal,
  readSigningRequest,
  refusal,
  type SigningRequest,
  slimRequest,
  type Wanted,
} from './signing-request.ts';

export interface SigningOptions {
  client: ApiClient;
  /** As `fairlead.dev/mesh`. */
  signerName: string;
  nodeAgents: NodeAgents;
  signing: Signing;
  /** The newest trust bundle that whoever says nothing of its own may be taken to have; 0: none. */
  spread(): number;
  log: Log;
}

/** Requests that are worked on at a time. */
const AT_ONCE = 8;
const PATH = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
const FIRST_MS = 200;
const LONGEST_MS = 30_000;

interface Waiting {
  request: SigningRequest;
  /** By `performance.now()`. */
  due: number;
  backOff: ReturnType<typeof createBackOff>;
  /** Signed and written down, and not handed out yet. */
  issued?: IssuedCertificate;
  /** It may have been handed out: there was no answer. */
  uncertain?: boolean;
  /** The watch has told the end of it already. */
  seen?: boolean;
}

/** Signs until what it returns is called, which resolves when nothing is written any more. */
export function signRequests(options: SigningOptions): () => Promise<void> {
  const { client, signerName, signing, log } = options;
  const stop = new AbortController();
  const { signal } = stop;
  const answers = createAnswers(client, signal);
  const waiting = new Map<string, Waiting>();
  /** Answered, and the watch has not told so yet: what it tells of them until then is old. */
  const done = new Set<string>();
  const busy = new Map<string, Promise<void>>();
  let timer: NodeJS.Timeout | undefined;
  let told = '';

  const watching = watchCollection({
    client,
    path: PATH,
    fieldSelector: `spec.signerName=${signerName}`,
    reachability: createReachability(client, signal),
    timing: WATCH_TIMING,
    signal,
    keep: (item) => slimRequest(item) as unknown as Record<string, unknown>,
    listed(items) {
      const there = new Set(items.map((item) => nameOf(item)));
      for (const name of [...waiting.keys(), ...done]) if (!there.has(name)) drop(name);
      for (const item of items) put(item as unknown as SigningRequest);
    },
    put: (item) => put(item as unknown as SigningRequest),
    dropped: (item) => drop(nameOf(item)),
    opened() {
      if (told !== '') log.info('signing requests are watched again', { signer: signerName });
      told = '';
    },
    failed(error) {
      trouble('signing requests cannot be watched; it is tried again', error);
      return false;
    },
  });
  return async () => {
    stop.abort();
    clearTimeout(timer);
    await Promise.all([watching, ...busy.values()]);
    for (const name of [...waiting.keys()]) drop(name);
  };

  function trouble(message: string, error: Error): void {
    const why = error instanceof FairleadError && error.next ? `${error.message}. ${error.next}` : error.message;
    if (why === told) return;
    told = why;
    log.error(message, { signer: signerName, why });
  }

  function put(request: SigningRequest): void {
    const { name } = request.metadata;
    const known = waiting.get(name);
    if (isSettled(request)) {
      done.delete(name);
      // Whoever is at work on it looks itself what became of it.
      if (known && busy.has(name)) known.seen = true;
      else settle(name, request);
      return;
    }
    if (request.spec.signerName !== signerName || done.has(name)) return;
    if (known) known.request = request;
    else waiting.set(name, { request, due: 0, backOff: createBackOff({ first: FIRST_MS, longest: LONGEST_MS }) });
    pump();
  }

  /** @param request as it is at last */
  function settle(name: string, request: SigningRequest): void {
    const entry = waiting.get(name);
    if (entry?.issued && request.status?.certificate === encoded(entry.issued)) waiting.delete(name);
    else {
      if (entry) entry.uncertain = false;
      drop(name);
    }
  }

  function drop(name: string): void {
    const entry = waiting.get(name);
    done.delete(name);
    if (!waiting.delete(name) || entry?.issued === undefined || entry.uncertain) return;
    const { identity, serial } = entry.issued;
    // Nobody ever had it, so nothing has to wait for its end.
    signing.audit.append({ event: 'discarded', time: new Date().toISOString(), identity, serial });
  }

  function pump(): void {
    if (signal.aborted) return;
    clearTimeout(timer);
    const now = performance.now();
    let next = Number.POSITIVE_INFINITY;
    for (const [name, entry] of waiting) {
      if (busy.size >= AT_ONCE) return;
      if (busy.has(name)) continue;
      if (entry.due > now) next = Math.min(next, entry.due);
      else
        busy.set(
          name,
          attend(name, entry).finally(() => {
            busy.delete(name);
            pump();
          }),
        );
    }
    if (Number.isFinite(next)) timer = setTimeout(pump, Math.max(1, next - now));
  }

  /** Never rejects. */
  async function attend(name: string, entry: Waiting): Promise<void> {
    try {
      const later = await answer(entry);
      if (later === undefined) {
        waiting.delete(name);
        if (!entry.seen) done.add(name);
      } else entry.due = performance.now() + later;
    } catch (error) {
      if (signal.aborted) return;
      await recover(name, entry, error as Error).catch(() => undefined);
    }
  }

  async function recover(name: string, entry: Waiting, error: Error): Promise<void> {
    const status = error instanceof ApiStatusError ? error.status : 0;
    const retryAfter = error instanceof ApiStatusError ? (error.retryAfterMs ?? 0) : 0;
    entry.due = performance.now() + Math.max(entry.backOff.next(), retryAfter);
    if (status === 404) return drop(name);
    if (status !== 409) return trouble('a request is not answered; it is tried again', error);
    // Somebody was faster: what is there now is judged anew.
    const now = await answers.read(name);
    if (isSettled(now)) settle(name, now);
    else {
      entry.request = now;
      entry.due = 0;
    }
  }

  /** Resolves with how long to wait for another try (milliseconds), with undefined when it is done. */
  async function answer(entry: Waiting): Promise<number | undefined> {
    let { request } = entry;
    const { metadata } = request;
    if (entry.issued === undefined) {
      const wanted = readSigningRequest(request);
      if ('reason' in wanted) return refused(request, wanted, 'fail');
      const { state, policy, sequence: newest } = signing.live();
      const { trustDomain } = state;
      const who = await requesterOf(client, request, wanted.identity, { trustDomain, nodeAgents: options.nodeAgents, signal });
      if ('reason' in who) return refused(request, who, 'deny', wanted);
      const { caller, limitedAs, notVouched } = who;
      if (!signing.limits.take(limitedAs, policy.rateLimit, performance.now())) {
        log.warning('a request waits: its requester asks for too many', { request: metadata.name, requester: limitedAs });
        return 60_000 / policy.rateLimit.perMinute + FIRST_MS;
      }
      const why = refusalFor(policy, caller, wanted.identity, wanted.dnsNames, wanted.request.publicKey);
      if (why !== undefined) {
        writeRefusal(signing.audit, caller, wanted.identity, why);
        return refused(request, notVouched ?? refusal('RefusedByPolicy', why), 'deny', wanted);
      }
      if (!hasCondition(request, 'Approved')) {
        request = await answers.approve(request);
        entry.request = request;
      }
      signal.throwIfAborted();
      try {
        const sequence = Math.min(wanted.bundle ?? options.spread(), newest);
        entry.issued = await issueReserved(signing, caller, { ...wanted, sequence });
      } catch (error) {
        if (!(error instanceof FairleadError) || error.code !== 'E_CA_REFUSED') throw error;
        return refused(request, refusal('SigningFailed', error.message), 'fail', wanted);
      }
    }
    const { issued } = entry;
    try {
      await answers.publish(entry.request, issued.chain);
    } catch (error) {
      if (!(error instanceof ApiStatusError)) entry.uncertain = true;
      throw error;
    }
    log.info('a request is signed', { request: metadata.name, identity: issued.identity, serial: issued.serial, until: issued.notAfter });
    return undefined;
  }

  async function refused(request: SigningRequest, why: Refusal, how: 'deny' | 'fail', wanted?: Wanted): Promise<undefined> {
    await answers[how](request, why);
    log.warning('a request is refused', {
      request: request.metadata.name,
      requester: request.spec.username ?? '',
      ...(wanted ? { identity: wanted.identity } : {}),
      why: why.message,
    });
  }
}

const nameOf = (item: Record<string, unknown>): string => (item['metadata'] as { name: string }).name;
const encoded = ({ chain }: IssuedCertificate): string => Buffer.from(chain, 'latin1').toString('base64');
