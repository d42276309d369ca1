/** Puts files on a host, and takes them away again: only what the inventory names, and only as it was written. */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FairleadError } from '../../errors.ts';
import type { SettingsFile } from '../settings/schema.ts';
import type { HostFile } from './host-files.ts';

export interface HostInventory {
  version: string;
  settings: SettingsFile;
  units: readonly string[];
  /** SHA-256 of what was written, by path; empty for files that are the administrator's. */
  files: Readonly<Record<string, string>>;
}

export interface HostChange {
  path: string;
  /** `conflict`: somebody has edited it since. */
  action: 'create' | 'change' | 'same' | 'keep' | 'delete' | 'conflict';
  why?: string;
  before?: string;
  after?: string;
  file?: HostFile;
}

export const INVENTORY = '/etc/fairlead/inventory.json';

const sum = (text: string): string => createHash('sha256').update(text).digest('hex');

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw unwritable(path, code ?? message);
  }
}

const unwritable = (path: string, why: string): FairleadError =>
  new FairleadError('E_FILE_UNWRITABLE', `${path} cannot be read or written: ${why === 'EACCES' ? 'permission denied' : why}`, {
    next: 'Run it as root, or name a folder of yours with --root DIR.',
  });

/** undefined when nothing is installed. Throws E_FILE_UNWRITABLE, E_INSTALL_REFUSED. */
export function readHostInventory(root: string): HostInventory | undefined {
  const text = readIfThere(join(root, INVENTORY));
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as HostInventory;
  } catch {
    throw new FairleadError('E_INSTALL_REFUSED', `${join(root, INVENTORY)} is damaged: it is not known what was installed`, {
      next: 'Remove it, and install again.',
    });
  }
}

/** What writing `files` would change. */
export function planHost(root: string, files: readonly HostFile[], inventory: HostInventory | undefined, force: boolean): HostChange[] {
  const changes = files.map((file): HostChange => {
    const { path, text, once } = file;
    const before = readIfThere(join(root, path));
    if (before === undefined) return { path, action: 'create', after: text, file };
    if (once) return { path, action: 'keep', why: 'it is yours' };
    if (before === text) return { path, action: 'same', file };
    const edited = inventory?.files[path] !== sum(before);
    return {
      path,
      action: edited && !force ? 'conflict' : 'change',
      ...(edited ? { why: 'somebody has edited it' } : {}),
      before,
      after: text,
      file,
    };
  });
  const wanted = new Set(files.map(({ path }) => path));
  const obsolete = Object.keys(inventory?.files ?? {}).filter((path) => !wanted.has(path));
  return [...changes, ...planHostRemoval(root, obsolete, inventory, false)];
}

/** What becomes of files that go. */
export function planHostRemoval(
  root: string,
  paths: readonly string[],
  inventory: HostInventory | undefined,
  purge: boolean,
): HostChange[] {
  return paths.flatMap((path): HostChange[] => {
    const before = readIfThere(join(root, path));
    if (before === undefined) return [];
    const written = inventory?.files[path];
    if (purge || written === sum(before)) return [{ path, action: 'delete', before }];
    return [
      { path, action: 'keep', why: written === '' ? 'it is yours; --purge removes it' : 'somebody has edited it; --purge removes it' },
    ];
  });
}

/** Carries a plan out, and notes it. Throws E_FILE_UNWRITABLE. */
export function applyHost(root: string, changes: readonly HostChange[], inventory: HostInventory): void {
  // Noted first: what is half there can be taken away.
  write(join(root, INVENTORY), `${JSON.stringify(inventory, null, 2)}\n`, 0o644);
  for (const { path, action, file } of changes) {
    if ((action === 'create' || action === 'change') && file) write(join(root, path), file.text, file.mode);
    if (action === 'delete') remove(join(root, path));
  }
}

/** Takes everything of a plan away, the inventory last unless something is kept. Throws E_FILE_UNWRITABLE. */
export function removeHost(root: string, changes: readonly HostChange[]): void {
  for (const { path, action } of changes) if (action === 'delete') remove(join(root, path));
  remove(join(root, INVENTORY));
  for (const folder of ['/etc/fairlead/mesh', '/etc/fairlead']) {
    try {
      rmdirSync(join(root, folder));
    } catch {
      // There is something in it, or it is not there.
    }
  }
}

/** The inventory of what is written. */
export function hostInventory(
  version: string,
  settings: SettingsFile,
  units: readonly string[],
  files: readonly HostFile[],
): HostInventory {
  return { version, settings, units, files: Object.fromEntries(files.map(({ path, text, once }) => [path, once ? '' : sum(text)])) };
}

function write(path: string, text: string, mode: number): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    const temporary = `${path}.${process.pid}.tmp`;
    writeFileSync(temporary, text, { mode, flush: true });
    chmodSync(temporary, mode);
    renameSync(temporary, path);
  } catch (error) {
    throw unwritable(path, (error as NodeJS.ErrnoException).code ?? (error as Error).message);
  }
}

function remove(path: string): void {
  try {
    if (existsSync(path)) rmSync(path);
  } catch (error) {
    throw unwritable(path, (error as NodeJS.ErrnoException).code ?? (error as Error).message);
  }
}
