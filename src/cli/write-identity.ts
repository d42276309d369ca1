/** An identity's files, named as Istio names them on virtual machines. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FairleadError } from '../errors.ts';

export const IDENTITY_FILES = { key: 'key.pem', chain: 'cert-chain.pem', roots: 'root-cert.pem' } as const;

export interface IdentityTexts {
  /** undefined: the key stays as it is, or is elsewhere. */
  key: string | undefined;
  chain: string;
  roots: string;
}

/** Which of the files are there already. */
export const existingIdentityFiles = (folder: string): string[] =>
  Object.values(IDENTITY_FILES)
    .map((name) => join(folder, name))
    .filter((path) => existsSync(path));

/** Writes them, the key 0600, each as a whole; nothing is replaced before all of them are written. Throws E_FILE_UNWRITABLE. */
export async function writeIdentity(folder: string, { key, chain, roots }: IdentityTexts): Promise<string[]> {
  const files: [string, string, number][] = [
    ...(key === undefined ? [] : [[IDENTITY_FILES.key, key, 0o600] as [string, string, number]]),
    [IDENTITY_FILES.chain, chain, 0o644],
    [IDENTITY_FILES.roots, roots, 0o644],
  ];
  const suffix = `.${randomUUID().slice(0, 8)}.tmp`;
  try {
    await mkdir(folder, { recursive: true, mode: 0o755 });
    for (const [name, text, mode] of files) {
      const handle = await open(join(folder, name + suffix), 'wx', mode);
      try {
        await handle.writeFile(text);
        await handle.sync();
      } finally {
        await handle.close();
      }
    }
    for (const [name] of files) await rename(join(folder, name + suffix), join(folder, name));
  } catch (error) {
    for (const [name] of files) await rm(join(folder, name + suffix), { force: true }).catch(() => undefined);
    const { code, message } = error as NodeJS.ErrnoException;
    throw new FairleadError('E_FILE_UNWRITABLE', `the certificate cannot be written to ${folder}: ${code ?? message}`, { cause: error });
  }
  return files.map(([name]) => join(folder, name));
}
