/**
 * The audit log: what was issued and what was changed, one JSON object a line, in `audit.jsonl`; lines are only ever appended (O_APPEND). A
 * certificate's line is written before anybody gets the certificate. It reaches the disk (fsync) before a command ends; `ca serve` syncs every
 * second, so that a machine that loses its power loses the lines of one second, and a process that dies loses none.
 */
import { closeSync, createReadStream, fdatasync, fdatasyncSync, fstatSync, openSync, readdirSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { unusable } from './directory.ts';

const FILE = 'audit.jsonl';

/** A certificate that was issued. */
export interface IssuedEntry {
  event: 'issued';
  /** ISO 8601, as all times here. */
  time: string;
  identity: string;
  /** Lower-case hex. */
  serial: string;
  dnsNames?: readonly string[];
  notAfter: string;
  /** Which authority signed. */
  authority: string;
  /** The trust bundle that the caller was given with it, or is known to have. */
  sequence: number;
  /** Who asked: a SPIFFE ID, or `local` for whoever may read the CA's directory. */
  caller: string;
  /** How the caller showed who it is. */
  by: 'local' | 'certificate' | 'token' | 'jwt' | 'csr';
  /** The serial number of the certificate that this one replaces. */
  replaces?: string;
}

/** Anything else that happened to the CA. `discarded`: a certificate that was issued and that nobody was given; `term`: this log has what was issued in a time of leading. */
export interface ChangeEntry {
  event: 'init' | 'intermediate' | 'prepare' | 'activate' | 'taint' | 'revoke' | 'token' | 'refused' | 'discarded' | 'term';
  time: string;
  [detail: string]: unknown;
}

export type AuditEntry = IssuedEntry | ChangeEntry;

export interface AuditLog {
  /** Throws E_CA_DIRECTORY: then nothing may be handed out. */
  append(entry: AuditEntry): void;
  /** What was appended is on the disk afterwards. Throws E_CA_DIRECTORY. */
  sync(): void;
  close(): void;
}

/**
 * Opens it for appending. Whoever moves the file away (to `audit-2026-10.jsonl`, say) gets a new one within a second.
 * @param syncEveryMs undefined: only `sync` and `close` sync
 */
export function openAudit(directory: string, syncEveryMs?: number): AuditLog {
  const path = join(directory, FILE);
  const usable = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw unusable(directory, error);
    }
  };
  let fd = usable(() => openSync(path, 'a', 0o600));
  let dirty = false;
  let failure: unknown;
  /** Why there is no file now: its directory is away, which may come back. */
  let gone: unknown;
  const timer = syncEveryMs === undefined ? undefined : setInterval(tick, syncEveryMs).unref();

  function tick(): void {
    try {
      follow();
      gone = undefined;
    } catch (error) {
      gone = error;
    }
  }

  function follow(): void {
    if (statSync(path, { throwIfNoEntry: false })?.ino !== fstatSync(fd).ino) {
      const old = fd;
      fd = openSync(path, 'a', 0o600);
      fdatasyncSync(old);
      closeSync(old);
      dirty = false;
    }
    if (!dirty) return;
    dirty = false;
    fdatasync(fd, (error) => {
      if (error && (error as NodeJS.ErrnoException).code !== 'EBADF') failure = error;
    });
  }
  return {
    append(entry) {
      // A disk that failed once is not trusted with the next line.
      if (failure !== undefined || gone !== undefined) throw unusable(directory, failure ?? gone);
      usable(() => writeSync(fd, `${JSON.stringify(entry)}\n`));
      dirty = true;
    },
    sync() {
      usable(() => fdatasyncSync(fd));
      dirty = false;
    },
    close() {
      clearInterval(timer);
      usable(() => {
        fdatasyncSync(fd);
        closeSync(fd);
      });
    },
  };
}

/** Appends one line and syncs. Throws E_CA_DIRECTORY. */
export function audit(directory: string, entry: AuditEntry): void {
  const log = openAudit(directory);
  try {
    log.append(entry);
  } finally {
    log.close();
  }
}

/**
 * All entries, oldest file first: `audit*.jsonl`, in the order of their last change. A line that was cut off by a crash, the last of a
 * file, is left out. Throws E_CA_DIRECTORY.
 */
export async function* readAudit(directory: string): AsyncGenerator<AuditEntry> {
  for (const file of auditFiles(directory)) {
    try {
      for await (const line of createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Number.POSITIVE_INFINITY })) {
        const entry = parse(line);
        if (entry !== undefined) yield entry;
      }
    } catch (error) {
      throw unusable(directory, error);
    }
  }
}

function auditFiles(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => /^audit.*\.jsonl$/.test(name))
      .map((name) => ({ path: join(directory, name), changed: statSync(join(directory, name)).mtimeMs }))
      .sort((a, b) => a.changed - b.changed)
      .map(({ path }) => path);
  } catch (error) {
    throw unusable(directory, error);
  }
}

function parse(line: string): AuditEntry | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'event' in value ? (value as AuditEntry) : undefined;
  } catch {
    return undefined;
  }
}
