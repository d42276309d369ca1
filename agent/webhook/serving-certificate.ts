/**
 * The certificate of the server of webhooks, and its life. Roots go ahead of it: a certificate is shown only when the roots that it is under have
 * been in the webhook configurations for a while, and the CA is told of a trust bundle only then. So the gates of a rotation wait for the API server too.
 */
import type { KeyObject } from 'node:crypto';
import { createBackOff, pause } from '../../src/kubernetes/back-off.ts';
import { generateKey, keyToPem } from '../../src/pki/keys.ts';
import type { IssuedCertificate } from '../ca/issue.ts';
import type { Issuer } from '../identity/issuer.ts';
import { type KeptCertificate, keptCertificate, renewalOf } from '../identity/kept-certificate.ts';
import type { Log } from '../log.ts';

export interface ServingOptions {
  issuer: Issuer;
  identity: string;
  dnsNames: readonly string[];
  /** undefined: what the CA's policy gives. */
  lifeMs: number | undefined;
  /** Resolves when the API server has them. */
  publish(roots: string): Promise<void>;
  /** Shows it from the next handshake on. */
  show(certificate: KeptCertificate): void;
  log: Log;
  timing?: ServingTiming;
}

/** Milliseconds. */
export interface ServingTiming {
  /** Between two looks at what is due. */
  look: number;
  /** Between two reports to the CA; each also looks whether somebody has taken the roots out of the configurations. */
  report: number;
  /** How long API servers may take to act on roots that were written. */
  settle: number;
}

export const SERVING_TIMING: ServingTiming = { look: 1000, report: 10_000, settle: 5000 };

export interface Serving {
  /** PEM of the roots that are published; undefined before the first. */
  roots(): string | undefined;
  shown(): KeptCertificate | undefined;
  close(): void;
}

export function keepServingCertificate(options: ServingOptions): Serving {
  const { issuer, identity, dnsNames, lifeMs, log, timing = SERVING_TIMING } = options;
  const stop = new AbortController();
  const { signal } = stop;
  let shown: KeptCertificate | undefined;
  let renewAt = 0;
  let reportedAt = 0;
  let published: { roots: string; sequence: number; at: number } | undefined;

  async function publish(roots: string, sequence: number): Promise<void> {
    await options.publish(roots);
    const same = published?.roots === roots;
    published = { roots, sequence, at: same ? (published?.at as number) : Date.now() };
    if (!same) log.info('the CA’s roots are in the webhook configurations', { sequence });
  }

  async function settled(): Promise<void> {
    const left = (published?.at ?? 0) + timing.settle - Date.now();
    if (left > 0) await pause(left, signal);
  }

  async function renew(): Promise<void> {
    const key = await generateKey('ec-p256');
    const issued: IssuedCertificate = await issuer.issue({ identity, dnsNames, key, lifeMs, replaces: shown?.serial });
    const next = certificateOf(key, issued);
    if (issued.roots !== published?.roots) await publish(issued.roots, issued.sequence);
    // Nobody calls a server that has shown nothing yet.
    if (shown !== undefined && shown.authority !== next.authority) await settled();
    if (signal.aborted) return;
    shown = next;
    renewAt = renewalOf(next);
    options.show(next);
    log.info('a certificate is shown', { serial: next.serial, until: next.notAfter.toISOString() });
  }

  async function report(): Promise<void> {
    if (published === undefined || shown === undefined) return;
    const before = published;
    const { roots = before.roots, sequence, renew: due } = await issuer.report({ sequence: before.sequence, serials: [shown.serial] });
    // Also when they are the same: somebody may have replaced a configuration.
    await publish(roots, sequence);
    if (due.includes(shown.authority)) renewAt = 0;
    if (sequence === before.sequence) return;
    await settled();
    await issuer.report({ sequence, serials: [shown.serial] });
  }

  async function run(): Promise<void> {
    const backOff = createBackOff({ first: 500, longest: 30_000 });
    let failing = '';
    while (!signal.aborted) {
      try {
        if (Date.now() >= renewAt) await renew();
        if (Date.now() - reportedAt >= timing.report) {
          await report();
          reportedAt = Date.now();
        }
        failing = '';
        backOff.reset();
        await pause(timing.look, signal);
      } catch (error) {
        if (signal.aborted) return;
        const why = (error as Error).message;
        if (why !== failing) log.error('the certificate of the webhooks is not in order; it is tried again', { why });
        failing = why;
        await pause(backOff.next(), signal);
      }
    }
  }

  void run();
  return { roots: () => published?.roots, shown: () => shown, close: () => stop.abort() };
}

function certificateOf(key: KeyObject, issued: IssuedCertificate): KeptCertificate {
  const made = keptCertificate(keyToPem(key), issued.chain);
  if (made === undefined) throw new Error('the CA answered with something else than a certificate for the key that asked');
  return made;
}
