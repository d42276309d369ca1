/** What an agent in a pod had last, for a container that is started anew while the node's agent is away: 0600, secrets in a file of their own. */
import type { DataDirectory } from '../data-directory.ts';
import type { Log } from '../log.ts';
import { jsonPieces } from '../snapshot-text.ts';
import type { ResourceKind } from '../xds/resource-types.ts';
import type { Held } from './ads-client.ts';
import { EMPTY, type HeldState } from './assembly.ts';

export interface Kept {
  /** What was saved by the same version; nothing when there is none or it cannot be read. */
  read(): HeldState;
  /** Saves when nothing has changed for a moment; secrets at once. */
  changed(state: HeldState): void;
  /** Saves what is still to be saved. */
  flush(): void;
}

const CONFIG = 'pod-config.json';
const SECRETS = 'pod-secrets.json';
const SAVE_AFTER_MS = 1500;

type Row = readonly [name: string, version: string, json: object];
type Saved = { version: string } & Partial<Record<ResourceKind, readonly Row[]>>;

export function openKept(data: Pick<DataDirectory, 'read' | 'write' | 'writePieces'>, version: string, log: Log): Kept {
  let state: HeldState = EMPTY;
  let timer: NodeJS.Timeout | undefined;
  let saving: object | undefined;
  let secrets = EMPTY.secret;
  const failed = (error: unknown): void => log.error('what runs could not be saved', { why: (error as Error).message });

  function* text(): Generator<string> {
    const { secret: _, ...rest } = state;
    yield `{"version":${JSON.stringify(version)}`;
    for (const [kind, set] of Object.entries(rest)) {
      yield `,${JSON.stringify(kind)}:`;
      yield* jsonPieces(rowsOf(set));
    }
    yield '}';
  }

  async function save(): Promise<void> {
    timer = undefined;
    if (saving) return later();
    const own = {};
    saving = own;
    await data.writePieces(CONFIG, text(), () => saving === own).catch(failed);
    if (saving === own) saving = undefined;
  }

  function later(): void {
    clearTimeout(timer);
    timer = setTimeout(() => void save(), SAVE_AFTER_MS);
  }

  return {
    read() {
      const config = saved(CONFIG);
      const own = saved(SECRETS);
      if (config === undefined) return EMPTY;
      const kinds = Object.keys(EMPTY) as ResourceKind[];
      state = Object.fromEntries(kinds.map((kind) => [kind, setOf((kind === 'secret' ? own : config)?.[kind])])) as HeldState;
      secrets = state.secret;
      return state;
    },
    changed(next) {
      state = next;
      if (next.secret !== secrets) {
        secrets = next.secret;
        try {
          data.write(SECRETS, JSON.stringify({ version, secret: rowsOf(secrets) } satisfies Saved));
        } catch (error) {
          failed(error);
        }
      }
      later();
    },
    flush() {
      if (!timer && !saving) return;
      clearTimeout(timer);
      timer = saving = undefined;
      try {
        data.write(CONFIG, [...text()].join(''));
      } catch (error) {
        failed(error);
      }
    },
  };

  function saved(file: string): Saved | undefined {
    try {
      const found = JSON.parse(data.read(file) ?? 'null') as Saved | null;
      return found?.version === version ? found : undefined;
    } catch (error) {
      log.warning('what was saved cannot be read', { file, why: (error as Error).message });
      return undefined;
    }
  }
}

const rowsOf = (set: ReadonlyMap<string, Held>): Row[] => [...set].map(([name, { version, json }]) => [name, version, json]);

const setOf = (rows: readonly Row[] | undefined): ReadonlyMap<string, Held> =>
  new Map((rows ?? []).map(([name, version, json]) => [name, { version, json }]));
