/** A CA's directory at hand: what is in it now counts, as for `ca serve`. */
import { createHash } from 'node:crypto';
import { FairleadError } from '../../src/errors.ts';
import { publicKeyInfo } from '../../src/pki/keys.ts';
import { openAudit } from '../ca/audit.ts';
import { readState, readStateIfThere } from '../ca/directory.ts';
import { initCa } from '../ca/init.ts';
import { issueCertificate } from '../ca/issue.ts';
import { createLiveIssuer } from '../ca/live-issuer.ts';
import { openRegistry } from '../ca/registry.ts';
import type { Log } from '../log.ts';
import type { Issuer } from './issuer.ts';

const AUDIT_SYNC_MS = 1000;
/** Both keys lie in one directory: an intermediate of a short life would only be one more thing that expires. */
const OWN_CA_LIFE_MS = 10 * 365 * 86_400_000;

export interface LocalIssuerOptions {
  directory: string;
  /** Of the mesh. */
  trustDomain: string;
  /** Whether a CA is made when there is none. */
  create: boolean;
  passphrase: string | undefined;
  /** What this agent is called in reports: its data directory. */
  agent: string;
  log: Log;
}

/** Throws E_CA_MISSING, E_CA_KEY, E_CA_POLICY, E_CA_BUSY, E_CA_DIRECTORY; E_CA_REFUSED when it is the CA of another trust domain. */
export async function openLocalIssuer(options: LocalIssuerOptions): Promise<Issuer> {
  const { directory, trustDomain, passphrase, agent, log } = options;
  if (options.create && readStateIfThere(directory) === undefined) await createCa(options);
  const state = readState(directory);
  if (state.trustDomain !== trustDomain)
    throw new FairleadError(
      'E_CA_REFUSED',
      `the CA in ${directory} is of the trust domain ${state.trustDomain}, the mesh of ${trustDomain}`,
      {
        next: options.create
          ? `Remove ${directory} when nothing needs it any more, or set the mesh’s trustDomain back.`
          : 'Name the directory of a CA of the mesh’s trust domain, or set trustDomain in the mesh configuration.',
      },
    );
  const audit = openAudit(directory, AUDIT_SYNC_MS);
  try {
    const live = createLiveIssuer(directory, passphrase, audit, log);
    live();
    const hash = createHash('sha256').update(agent).digest('hex').slice(0, 12);
    const registry = openRegistry(directory, `agents-${hash}.json`);
    return {
      name: `the CA in ${directory}`,
      async issue({ identity, dnsNames, key, lifeMs, replaces }) {
        const request = { publicKey: key, publicKeyInfo: publicKeyInfo(key) };
        return issueCertificate(live(), { name: 'local', by: 'local' }, { identity, request, dnsNames, lifeMs, replaces }, new Date());
      },
      async report({ sequence, serials }) {
        const { state, rootsPem } = live();
        registry.report({ identity: 'local', name: agent, sequence, serials, seen: new Date().toISOString() });
        const renew = state.authorities.filter(({ stage }) => stage === 'tainted').map(({ id }) => id);
        return { sequence: state.sequence, renew, ...(sequence === state.sequence ? {} : { roots: rootsPem }) };
      },
      own: () => undefined,
      close() {
        for (const part of [registry, audit])
          try {
            part.close();
          } catch (error) {
            // The directory is away: reports are repeated, and what was issued is on the disk within a second.
            log.warning('the CA’s directory could not be left in order', { directory, why: (error as Error).message });
          }
      },
    };
  } catch (error) {
    audit.close();
    throw error;
  }
}

/** Somebody else may be making it in the same moment. */
async function createCa({ directory, trustDomain, passphrase, log }: LocalIssuerOptions): Promise<void> {
  const settings = {
    trustDomain,
    algorithm: 'ec-p256' as const,
    rootLifeMs: OWN_CA_LIFE_MS,
    intermediateLifeMs: OWN_CA_LIFE_MS,
    passphrase,
  };
  try {
    await initCa(directory, settings);
    log.info('made a certificate authority', { directory, trustDomain });
  } catch (error) {
    if (!(error instanceof FairleadError) || error.code !== 'E_CA_EXISTS') throw error;
  }
}
