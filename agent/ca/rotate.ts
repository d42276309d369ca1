/**
 * Replaces the keys of the CA in stages, as SPIRE does, so that no request fails:
 *
 *   prepare   a new authority; its root is in the trust bundle at once       -> wait until everyone has that bundle
 *   activate  the new one signs                                             -> wait until everyone has renewed
 *   taint     the old one's certificates are to be renewed at once           -> wait until nobody has one
 *   revoke    the old root leaves the trust bundle, its keys are deleted
 *
 * Each stage is one replacement of the state: a process that is killed leaves the stage before or the stage after.
 */
import { FairleadError } from '../../src/errors.ts';
import { audit, type ChangeEntry } from './audit.ts';
import { certificatesOf } from './authorities.ts';
import { createAuthority } from './create-authority.ts';
import { readState, removeLeftovers, writeState } from './directory.ts';
import { currentHolders, type Holder } from './holders.ts';
import { refuseDuringRotation } from './intermediate.ts';
import { loadKey } from './keys.ts';
import { type AuthorityRecord, activeOf, type CaState, type Stage } from './state.ts';
import { withLock } from './with-lock.ts';

export const ROTATION_STEPS = ['prepare', 'activate', 'taint', 'revoke'] as const;
export type RotationStep = (typeof ROTATION_STEPS)[number];

export interface RotationStatus {
  /** What comes next; `install` waits for `ca intermediate --install`. */
  next: RotationStep | 'install';
  /** The authority that `next` is about; undefined before `prepare`. */
  authority: string | undefined;
  /** Of the trust bundle. */
  sequence: number;
  /** What `next` waits for, in words. */
  waitsFor: string;
  /** Who is behind; empty: it may go on. */
  behind: Holder[];
  /** When the last of them has expired; undefined when nobody is behind. */
  clearBy: string | undefined;
}

const WAITS: Readonly<Record<RotationStep | 'install', string>> = {
  prepare: 'nothing',
  install: 'the certificate that your root signs',
  activate: 'every holder of a certificate to have the trust bundle with the new root',
  taint: 'every holder of a certificate to have one of the new authority',
  revoke: 'nobody to have a certificate of the old authority',
};

/** Throws E_CA_MISSING, E_CA_DIRECTORY. */
export async function rotationStatus(directory: string, now: Date): Promise<RotationStatus> {
  return statusOf(directory, readState(directory), now);
}

async function statusOf(directory: string, state: CaState, now: Date): Promise<RotationStatus> {
  const at = (stage: Stage): AuthorityRecord | undefined => state.authorities.find((record) => record.stage === stage);
  const [tainted, superseded, prepared, requested] = [at('tainted'), at('superseded'), at('prepared'), at('requested')];
  const [next, record] = tainted
    ? (['revoke', tainted] as const)
    : superseded
      ? (['taint', superseded] as const)
      : prepared
        ? (['activate', prepared] as const)
        : requested
          ? (['install', requested] as const)
          : (['prepare', undefined] as const);
  const isBehind = (holder: Holder): boolean =>
    next === 'activate' ? holder.sequence < (record as AuthorityRecord).sequence : holder.authority === record?.id;
  const waits = next === 'activate' || next === 'taint' || next === 'revoke';
  const behind = waits ? (await currentHolders(directory, state, now)).filter(isBehind) : [];
  const clearBy = behind
    .map(({ notAfter }) => notAfter)
    .sort()
    .at(-1);
  return { next, authority: record?.id, sequence: state.sequence, waitsFor: WAITS[next], behind, clearBy };
}

export interface RotateOptions {
  /** Goes on although somebody is behind. */
  force: boolean;
  /** `prepare`: a new intermediate under the root that is there. */
  intermediateOnly?: boolean;
  /** `prepare`: the new keys are encrypted with it, and the root's is opened. */
  passphrase?: string | undefined;
}

/** What a step changed. */
export interface Rotated {
  step: RotationStep;
  /** The authority that it was about. */
  authority: string;
  sequence: number;
  /** Who was behind, and was passed over by force. */
  passedOver: Holder[];
}

/** What breaks for those who are passed over. */
export const BREAKS: Readonly<Record<RotationStep, string>> = {
  prepare: '',
  activate: 'they do not trust the new root yet: their connections to whoever renews fail until they have the new trust bundle',
  taint: 'they renew all at once; who cannot renew breaks at `revoke`',
  revoke: 'nobody trusts their certificates any more: their connections fail until they have new ones',
};

/** Throws E_CA_WAITING for the wrong step and while somebody is behind, E_CA_MISSING, E_CA_KEY, E_CA_BUSY, E_CA_DIRECTORY. */
export async function rotate(directory: string, step: RotationStep, options: RotateOptions): Promise<Rotated> {
  return withLock(directory, async () => {
    const state = readState(directory);
    const now = new Date();
    const status = await checkStep(directory, state, step, options, now);
    const after = step === 'prepare' ? await prepared(directory, state, options, now) : moved(state, step, status.authority as string, now);
    const authority = status.authority ?? (after.authorities.at(-1) as AuthorityRecord).id;
    const entry: ChangeEntry = { event: step, time: now.toISOString(), authority, sequence: after.sequence };
    audit(directory, status.behind.length > 0 ? { ...entry, passedOver: status.behind.map(({ serial }) => serial) } : entry);
    writeState(directory, after);
    removeLeftovers(directory);
    return { step, authority, sequence: after.sequence, passedOver: status.behind };
  });
}

/** Throws what `rotate` would, without changing anything. */
export async function checkRotation(directory: string, step: RotationStep, options: RotateOptions): Promise<RotationStatus> {
  return checkStep(directory, readState(directory), step, options, new Date());
}

async function checkStep(
  directory: string,
  state: CaState,
  step: RotationStep,
  options: RotateOptions,
  now: Date,
): Promise<RotationStatus> {
  if (step === 'prepare') checkPrepare(state, options);
  const status = await statusOf(directory, state, now);
  if (status.next !== step)
    throw new FairleadError(
      'E_CA_WAITING',
      `${step} is not what comes next: ${status.next} is${status.authority ? `, of ${status.authority}` : ''}`,
      {
        next:
          status.next === 'install'
            ? 'Give your root’s answer to `fairlead ca intermediate --install`.'
            : `Run \`fairlead ca rotate ${status.next}\`.`,
      },
    );
  const { behind, waitsFor, clearBy } = status;
  if (behind.length === 0 || options.force) return status;
  const names = [...new Set(behind.map(({ identity }) => identity))];
  const shown = `${names.slice(0, 3).join(', ')}${names.length > 3 ? `, and ${names.length - 3} more` : ''}`;
  throw new FairleadError(
    'E_CA_WAITING',
    `too early to ${step}: it waits for ${waitsFor}; behind: ${shown} (${behind.length} certificates)`,
    {
      next: `Wait, until ${clearBy} at the latest, or look with \`fairlead ca rotate status\`. With --force, ${BREAKS[step]}.`,
    },
  );
}

function checkPrepare(state: CaState, { intermediateOnly }: RotateOptions): void {
  refuseDuringRotation(state);
  const active = activeOf(state);
  if (active !== undefined && active.rootKey === undefined)
    throw new FairleadError('E_CA_KEY', `the root’s key is not here${intermediateOnly ? ', so that no intermediate can be signed' : ''}`, {
      next: 'Make a request with `fairlead ca intermediate --csr FILE`, have your root sign it, and give the answer to --install.',
    });
}

async function prepared(directory: string, state: CaState, { intermediateOnly, passphrase }: RotateOptions, now: Date): Promise<CaState> {
  const active = activeOf(state);
  const root = active && certificatesOf(active)?.root;
  const file = active?.rootKey;
  const existing = intermediateOnly && root && file ? { certificate: root, key: loadKey(directory, file, passphrase), file } : undefined;
  const authority = await createAuthority(directory, state, now, passphrase, existing);
  // Peers that trust the root need nothing new for another intermediate under it.
  const sequence = existing ? state.sequence : state.sequence + 1;
  const record: AuthorityRecord = { ...authority, stage: 'prepared', sequence: existing ? (active as AuthorityRecord).sequence : sequence };
  return { ...state, sequence, authorities: [...state.authorities, record] };
}

function moved(state: CaState, step: Exclude<RotationStep, 'prepare'>, id: string, now: Date): CaState {
  const since = now.toISOString();
  const to = (record: AuthorityRecord, stage: Stage): AuthorityRecord => ({ ...record, stage, since });
  if (step === 'activate') {
    const authorities = state.authorities.map((r) => (r.id === id ? to(r, 'active') : r.stage === 'active' ? to(r, 'superseded') : r));
    return { ...state, authorities };
  }
  if (step === 'taint') return { ...state, authorities: state.authorities.map((r) => (r.id === id ? to(r, 'tainted') : r)) };
  const gone = state.authorities.find((r) => r.id === id);
  const authorities = state.authorities.filter((r) => r !== gone);
  const stays = authorities.some(({ root }) => root === gone?.root);
  return { ...state, authorities, sequence: stays ? state.sequence : state.sequence + 1 };
}
