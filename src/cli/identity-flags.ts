/** Flags of commands that run an agent, about its workloads' certificates. */
import * as Flags from '@oclif/core/flags';
import { FairleadError } from '../errors.ts';
import type { ApiClient } from '../kubernetes/client.ts';
import { passphraseFile, passphraseOf } from './ca-flags.ts';
import { parseSpan } from './within.ts';

export const identityFlags = {
  'ca-dir': Flags.string({
    helpValue: 'DIR',
    description:
      'directory of the CA that signs the workloads’ certificates [default: FAIRLEAD_CA_DIR, else one of its own in the data directory]',
    exclusive: ['ca'],
  }),
  ca: Flags.string({
    helpValue: 'HOST:PORT|kubernetes',
    description:
      'a CA that is served, in place of a directory; kubernetes: the one that signs the cluster’s requests (CSR API); with --ca-roots',
    dependsOn: ['ca-roots'],
  }),
  'ca-roots': Flags.string({
    helpValue: 'FILE',
    description: 'trust bundle (PEM) that the served CA must be under; with --ca kubernetes it is followed',
    dependsOn: ['ca'],
  }),
  'ca-token-file': Flags.string({
    helpValue: 'FILE',
    description: 'join token or JSON Web Token for the served CA; read whenever the agent has no valid certificate of its own',
    dependsOn: ['ca'],
  }),
  'cert-ttl': Flags.string({ helpValue: 'TIME', description: 'how long workload certificates live [default: the CA’s policy, 24h]' }),
  'passphrase-file': passphraseFile,
};

export interface IdentityFlags {
  'ca-dir'?: string | undefined;
  ca?: string | undefined;
  'ca-roots'?: string | undefined;
  'ca-token-file'?: string | undefined;
  'cert-ttl'?: string | undefined;
  'passphrase-file'?: string | undefined;
}

/** The shortest life that an agent can renew in time, whatever the machine does meanwhile. */
const SHORTEST_MS = 2000;
/** `spec.expirationSeconds` of a CertificateSigningRequest. */
const SHORTEST_BY_CSR_MS = 600_000;

/** What the flags stand for. `cluster`: whom `--ca kubernetes` asks. Throws E_USAGE, E_CA_KEY. */
export async function identityOptions(flags: IdentityFlags, cluster?: ApiClient) {
  const lifeMs = flags['cert-ttl'] === undefined ? undefined : lifeOf(flags['cert-ttl']);
  if (flags.ca === 'kubernetes') {
    if (cluster === undefined)
      throw new FairleadError('E_USAGE', '--ca kubernetes is for `agent run`', { next: 'Name a served CA as HOST:PORT, or a directory.' });
    if (flags['ca-token-file'] !== undefined)
      throw new FairleadError('E_USAGE', '--ca-token-file is for a served CA: --ca kubernetes asks as the kubeconfig says');
    if (lifeMs !== undefined && lifeMs < SHORTEST_BY_CSR_MS)
      throw new FairleadError('E_USAGE', `--cert-ttl ${flags['cert-ttl']} is less than Kubernetes’ CSR API takes`, {
        next: 'Write 10m or more.',
      });
    return {
      ca: { cluster, rootsFile: flags['ca-roots'] as string, nodeName: process.env['NODE_NAME'] || undefined },
      certificateLifeMs: lifeMs,
    };
  }
  if (flags.ca !== undefined) {
    const at = URL.parse(`https://${flags.ca}`);
    if (at === null || at.pathname !== '/' || !/:\d+$/.test(flags.ca))
      throw new FairleadError('E_USAGE', `--ca ${JSON.stringify(flags.ca)} is not HOST:PORT`, { next: 'Name it as ca.example.com:15012.' });
    return {
      ca: { address: flags.ca, rootsFile: flags['ca-roots'] as string, tokenFile: flags['ca-token-file'] },
      certificateLifeMs: lifeMs,
    };
  }
  const directory = flags['ca-dir'] ?? (process.env['FAIRLEAD_CA_DIR'] || undefined);
  return { ca: { directory, passphrase: await passphraseOf(flags['passphrase-file']) }, certificateLifeMs: lifeMs };
}

function lifeOf(typed: string): number {
  const ms = parseSpan(typed);
  if (ms !== undefined && ms >= SHORTEST_MS) return ms;
  throw new FairleadError(
    'E_USAGE',
    `--cert-ttl ${JSON.stringify(typed)} is not a length of time of ${SHORTEST_MS / 1000} seconds or more`,
    {
      next: 'Write 24h, 90m or 7d.',
    },
  );
}
