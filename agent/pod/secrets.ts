/** The secrets of the pod's proxy: those that the node's agent sends, and those of the pod's own files. */
import type { SecretJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { secretNames } from '../../src/envoy/secret-names.ts';
import { createFileSecrets, isFileSecret } from '../identity/file-secrets.ts';
import type { Identity } from '../identity/identity.ts';
import type { IdentityStatus, SecretProblem } from '../identity/identity-status.ts';
import { type KeptCertificate, keptCertificate, renewalOf } from '../identity/kept-certificate.ts';
import type { Log } from '../log.ts';
import { type HeldState, listOf } from './assembly.ts';

export interface PodSecrets extends Pick<Identity, 'status' | 'close'> {
  /** All that a proxy with this configuration is to be told. Files that it names are watched from then on. */
  of(state: HeldState): Promise<readonly SecretJson[]>;
  /** What the engine said of them, if it did not take them. */
  failed(message: string | undefined): void;
}

export interface PodSecretsOptions {
  /** For people: `the agent of the node, at unix:…`. */
  from: string;
  /** `<name>.<namespace>` */
  proxy(): string;
  /** A file that was named has changed. */
  changed(): void;
  log: Log;
}

export function createPodSecrets({ from, proxy, changed, log }: PodSecretsOptions): PodSecrets {
  const files = createFileSecrets(changed);
  let problems: readonly SecretProblem[] = [];
  let refused: SecretProblem | undefined;
  let own: KeptCertificate | undefined;
  let renewals = 0;

  function note(now: readonly SecretProblem[]): void {
    for (const { name, message } of now)
      if (!problems.some((p) => p.name === name && p.message === message))
        log.warning('a secret is missing', { secret: name, why: message });
    problems = now;
  }

  function look(secrets: readonly SecretJson[]): void {
    const mine = secrets.find(({ name }) => name === 'default')?.tlsCertificate;
    const [key, chain] = [mine?.privateKey?.inlineString, mine?.certificateChain?.inlineString];
    if (!key || !chain || chain === own?.chain) return;
    try {
      own = keptCertificate(key, chain);
      renewals++;
      if (own) log.info('certificate received', { identity: own.identity, serial: own.serial, until: own.notAfter.toISOString() });
    } catch (error) {
      log.warning('the certificate that was sent cannot be read', { why: (error as Error).message });
    }
  }

  return {
    async of(state) {
      const names = secretNames({ listeners: listOf(state.listener), clusters: listOf(state.cluster) });
      const fromFiles = names.filter(isFileSecret);
      await files.watch(fromFiles);
      const made = fromFiles.map((name) => [name, files.get(name)] as const);
      const sent = listOf<SecretJson>(state.secret);
      const lacking = names.filter((name) => !isFileSecret(name) && !state.secret.has(name));
      note([
        ...made.flatMap(([name, m]) => ('problem' in m ? [{ name, message: m.problem, serves: false }] : [])),
        ...lacking.map((name) => ({ name, message: 'the node’s agent has none yet', serves: false })),
      ]);
      look(sent);
      return [...sent, ...made.flatMap(([, m]) => ('secret' in m ? [m.secret] : []))];
    },
    failed(message) {
      refused = message === undefined ? undefined : { name: '', message, serves: true };
    },
    status(): IdentityStatus {
      const now = Date.now();
      const renewal = own && renewalOf(own, () => 0.5);
      return {
        ca: from,
        trust: undefined,
        certificates: own
          ? [
              {
                identity: own.identity,
                dnsNames: own.dnsNames,
                state: now >= own.notAfter.getTime() ? 'expired' : now < (renewal ?? 0) ? 'valid' : lateness(own, now),
                serial: own.serial,
                notBefore: own.notBefore.toISOString(),
                notAfter: own.notAfter.toISOString(),
                nextRenewal: new Date(renewal ?? now).toISOString(),
                renewals,
                failures: 0,
                lastError: undefined,
                proxies: [proxy()],
              },
            ]
          : [],
        problems: [...problems, ...(refused ? [refused] : [])].map((problem) => ({ proxy: proxy(), ...problem })),
      };
    },
    close: () => files.close(),
  };
}

/** As the node's agent calls it, which renews it. */
function lateness({ notBefore, notAfter }: KeptCertificate, now: number): 'renewing' | 'expiring' {
  return notAfter.getTime() - now < (notAfter.getTime() - notBefore.getTime()) / 4 ? 'expiring' : 'renewing';
}
