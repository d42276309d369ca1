/**
 * Keeps certificates fresh: each is renewed at half of its life, whatever clocks, CAs and restarts do meanwhile. What is due is found by the
 * wall clock on a short timer: a laptop that slept, or a clock that was set, is noticed within a second.
 */

import { FairleadError } from '../../src/errors.ts';
import { generateKey, keyToPem } from '../../src/pki/keys.ts';
import type { Log } from '../log.ts';
import type { Issuer } from './issuer.ts';
import { certificateKey, issuedAt, type KeptCertificate, keptCertificate, renewalOf } from './kept-certificate.ts';
import type { IdentityStore, Trust } from './store.ts';

export interface WantedCertificate {
  identity: string;
  dnsNames: readonly string[];
}

/** `expiring`: a renewal is overdue and less than a quarter of its life is left; `expired`, `missing`: there is none to serve with. */
export type CertificateState = 'valid' | 'renewing' | 'expiring' | 'expired' | 'missing';

export interface CertificateStatus {
  identity: string;
  dnsNames: readonly string[];
  state: CertificateState;
  serial: string | undefined;
  /** ISO 8601. */
  notBefore: string | undefined;
  notAfter: string | undefined;
  /** When it is asked for next; in the past while it is being asked for. */
  nextRenewal: string;
  renewals: number;
  failures: number;
  /** Since the last success. */
  lastError: { at: string; message: string } | undefined;
}

export interface CertificatesOptions {
  store: IdentityStore;
  /** Opens the CA; called again after a failure. */
  issuer(): Promise<Issuer>;
  /** How long a certificate is asked to live, milliseconds. */
  lifeMs: number | undefined;
  log: Log;
  /** A certificate or the trusted roots are new. */
  changed(): void;
  /** The sequence of the trust bundle that all proxies have; 0 before the first. The CA goes on with a rotation by it. */
  inForce(): number;
}

export interface Certificates {
  /** From now on these are kept fresh and no others. Resolves when each is there, has failed once, or `patienceMs` have passed. */
  want(wanted: readonly WantedCertificate[], patienceMs: number): Promise<void>;
  /** undefined while there is none that is in force. */
  get(wanted: WantedCertificate): KeptCertificate | undefined;
  trust(): Trust | undefined;
  status(): CertificateStatus[];
  close(): void;
}

interface Entry {
  wanted: WantedCertificate;
  held: KeptCertificate | undefined;
  /** Milliseconds since 1970, as `tryAt`. */
  renewAt: number;
  /** Not before: the CA was away. */
  tryAt: number;
  working: Promise<void> | undefined;
  renewals: number;
  failures: number;
  failed: number;
  lastError: CertificateStatus['lastError'];
  told: CertificateState;
}

const TICK_MS = 1000;
/** Short lives need short steps: so many of them to a life. */
const TICKS_A_LIFE = 40;
const LONGEST_WAIT_MS = 60_000;
/** How often the CA is told what is held, and asked what is due. */
const REPORT_MS = 10_000;

/** Takes up what the store has: a CA that is away does not keep a node from starting. */
export function createCertificates(options: CertificatesOptions): Certificates {
  const { store, log } = options;
  const entries = new Map<string, Entry>();
  const kept = new Map(store.certificates().map((c) => [certificateKey(c.identity, c.dnsNames), c]));
  let trust = store.trust();
  let issuer: Issuer | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let reporting = false;
  let reportAt = 0;
  let reported = '';
  let reportFailures = 0;

  async function open(): Promise<Issuer> {
    if (!issuer) {
      const opened = await options.issuer();
      // Several ask at the same time, and one is enough.
      if (issuer) opened.close();
      else {
        issuer = opened;
        issuer.onNews?.(() => {
          reportAt = 0;
          if (!closed) void report(Date.now());
        });
      }
    }
    if (closed) issuer.close();
    return issuer;
  }

  function entryOf(wanted: WantedCertificate): Entry {
    const key = certificateKey(wanted.identity, wanted.dnsNames);
    let entry = entries.get(key);
    if (!entry) {
      const held = kept.get(key);
      entry = {
        wanted,
        held,
        renewAt: held ? renewalOf(held) : 0,
        tryAt: 0,
        working: undefined,
        renewals: 0,
        failures: 0,
        failed: 0,
        lastError: undefined,
        told: 'valid',
      };
      entries.set(key, entry);
    }
    return entry;
  }

  /** A clock that was set back makes a certificate one of the future: a new one begins now. */
  const isDue = ({ held, renewAt }: Entry, now: number): boolean => held === undefined || now >= renewAt || now < held.notBefore.getTime();

  function renew(entry: Entry): Promise<void> {
    entry.working ??= ask(entry).finally(() => {
      entry.working = undefined;
    });
    return entry.working;
  }

  async function ask(entry: Entry): Promise<void> {
    const { identity, dnsNames } = entry.wanted;
    try {
      const [from, key] = await Promise.all([open(), generateKey('ec-p256')]);
      const issued = await from.issue({ identity, dnsNames, key, lifeMs: options.lifeMs, replaces: entry.held?.serial });
      if (closed) return;
      const made = keptCertificate(keyToPem(key), issued.chain);
      if (made?.identity !== identity)
        throw new FairleadError('E_CA_REFUSED', `${from.name} answered with something else than a certificate for ${identity}`);
      // First on the disk: what is served must be there after a crash.
      store.keep(made);
      if (entry.held) log.info('certificate renewed', { identity, serial: made.serial, until: made.notAfter.toISOString() });
      else log.info('certificate issued', { identity, serial: made.serial, until: made.notAfter.toISOString() });
      Object.assign(entry, {
        held: made,
        renewAt: renewalOf(made),
        tryAt: 0,
        failed: 0,
        lastError: undefined,
        renewals: entry.renewals + 1,
      });
      // Asked for again and again, the CA would give the same.
      if (isDue(entry, Date.now())) fail(entry, new Error(clocksDiffer(from.name, made)));
      takeTrust(identity, issued);
      reportAt = 0;
      options.changed();
    } catch (error) {
      if (!closed) fail(entry, error as Error);
    }
  }

  function takeTrust(identity: string, { sequence, roots }: { sequence: number; roots: string }): void {
    const trustDomain = identity.slice('spiffe://'.length).split('/')[0] as string;
    // The CA's sequence only grows: an older answer may come late.
    if (trust?.trustDomain === trustDomain && trust.sequence >= sequence && (trust.sequence > sequence || trust.roots === roots)) return;
    const from = store.trust()?.from;
    trust = { trustDomain, sequence, roots, ...(from === undefined ? {} : { from }) };
    store.keepTrust(trust);
    options.changed();
  }

  function fail(entry: Entry, error: Error): void {
    const now = Date.now();
    entry.failures++;
    entry.failed++;
    const life = entry.held ? entry.held.notAfter.getTime() - issuedAt(entry.held) : 60_000;
    const first = Math.min(1000, life / TICKS_A_LIFE);
    const wait = Math.min(first * 2 ** Math.min(entry.failed - 1, 10), LONGEST_WAIT_MS, Math.max(life / 8, first));
    entry.tryAt = now + wait * (0.5 + Math.random() / 2);
    const message = error instanceof FairleadError && error.next ? `${error.message}. ${error.next}` : error.message;
    const news = entry.lastError?.message !== message;
    entry.lastError = { at: new Date(now).toISOString(), message };
    if (news) log.warning('no certificate', { identity: entry.wanted.identity, why: message, until: entry.held?.notAfter.toISOString() });
  }

  function stateOf(entry: Entry, now: number): CertificateState {
    const { held } = entry;
    if (held === undefined) return 'missing';
    if (now >= held.notAfter.getTime() || now < held.notBefore.getTime()) return 'expired';
    if (!isDue(entry, now)) return 'valid';
    const life = held.notAfter.getTime() - issuedAt(held);
    return held.notAfter.getTime() - now < life / 4 ? 'expiring' : 'renewing';
  }

  /** A warning and then an error, once each. */
  function tell(entry: Entry, now: number): void {
    const state = stateOf(entry, now);
    if (state === 'valid') entry.lastError = undefined;
    if (state === entry.told) return;
    entry.told = state;
    const { held, lastError } = entry;
    const fields = { identity: entry.wanted.identity, until: held?.notAfter.toISOString(), why: lastError?.message };
    if (state === 'expiring') log.warning('a certificate expires soon and is not renewed', fields);
    if (state === 'expired') log.error('a certificate has expired: connections that need it fail', fields);
  }

  async function report(now: number): Promise<void> {
    const held = [...entries.values()].flatMap((e) => (e.held && e.held.notAfter.getTime() > now ? [e.held] : []));
    const sequence = options.inForce();
    if (reporting || held.length === 0 || sequence === 0) return;
    const what = `${sequence} ${held.map(({ serial }) => serial).join()}`;
    if (now < reportAt && (what === reported || reportFailures > 0) && reportAt - now <= LONGEST_WAIT_MS) return;
    reporting = true;
    try {
      const from = await open();
      const due = await from.report({ sequence, serials: held.map(({ serial }) => serial) });
      if (closed) return;
      reportFailures = 0;
      reported = what;
      reportAt = Date.now() + Math.min(REPORT_MS, shortestLife() / 10) * (0.9 + Math.random() / 5);
      if (due.roots !== undefined) takeTrust(held[0]?.identity ?? '', { sequence: due.sequence, roots: due.roots });
      for (const entry of entries.values()) if (entry.held && due.renew.includes(entry.held.authority)) entry.renewAt = 0;
    } catch (error) {
      reportFailures++;
      reportAt = Date.now() + Math.min(1000 * 2 ** Math.min(reportFailures, 6), LONGEST_WAIT_MS) * (0.5 + Math.random() / 2);
      log.debug('the CA did not take a report', { why: (error as Error).message });
    } finally {
      reporting = false;
    }
  }

  function shortestLife(): number {
    const lives = [...entries.values()].flatMap(({ held }) => (held ? [held.notAfter.getTime() - issuedAt(held)] : []));
    return Math.min(Number.POSITIVE_INFINITY, ...lives.filter((life) => life > 0));
  }

  function tick(): void {
    const now = Date.now();
    for (const entry of entries.values()) {
      // A wait that is longer than any was made by another clock.
      const waits = now < entry.tryAt && entry.tryAt - now <= LONGEST_WAIT_MS;
      if (isDue(entry, now) && !waits) void renew(entry);
      tell(entry, now);
    }
    void report(now);
    arm();
  }

  function arm(): void {
    clearTimeout(timer);
    if (closed || entries.size === 0) return;
    timer = setTimeout(tick, Math.min(TICK_MS, Math.max(20, shortestLife() / TICKS_A_LIFE))).unref();
  }

  return {
    async want(wanted, patienceMs) {
      const keys = new Set(wanted.map(({ identity, dnsNames }) => certificateKey(identity, dnsNames)));
      for (const [key, { held }] of entries) {
        if (keys.has(key)) continue;
        entries.delete(key);
        kept.delete(key);
        if (held) store.forget(held);
      }
      const now = Date.now();
      const first = wanted
        .map(entryOf)
        .filter(
          (e) =>
            isDue(e, now) &&
            (e.held === undefined || now >= e.held.notAfter.getTime() || now < e.held.notBefore.getTime()) &&
            now >= e.tryAt,
        );
      arm();
      if (first.length === 0) return;
      const late = new Promise<void>((resolve) => setTimeout(resolve, patienceMs).unref());
      await Promise.race([Promise.all(first.map(renew)), late]);
      arm();
    },
    get({ identity, dnsNames }) {
      return entries.get(certificateKey(identity, dnsNames))?.held;
    },
    trust: () => trust,
    status() {
      const now = Date.now();
      return [...entries.values()].map((entry): CertificateStatus => {
        const { held, wanted, renewals, failures, lastError } = entry;
        return {
          identity: wanted.identity,
          dnsNames: wanted.dnsNames,
          state: stateOf(entry, now),
          serial: held?.serial,
          notBefore: held?.notBefore.toISOString(),
          notAfter: held?.notAfter.toISOString(),
          nextRenewal: new Date(Math.max(entry.renewAt, entry.tryAt) || now).toISOString(),
          renewals,
          failures,
          lastError,
        };
      });
    },
    close() {
      closed = true;
      clearTimeout(timer);
      issuer?.close();
    },
  };
}

const clocksDiffer = (ca: string, { notBefore, notAfter }: KeptCertificate): string =>
  `by this machine’s clock (${new Date().toISOString()}) what ${ca} gave is not in the first half of its life: from ${notBefore.toISOString()} until ${notAfter.toISOString()}`;
