import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Baseline, readBaseline } from '../analysis/baseline.ts';
import { FairleadError } from '../errors.ts';

/** Reads a baseline. Throws E_CONFIG_UNREADABLE, with how to write one. */
export async function loadBaseline(file: string): Promise<Baseline> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : String((error as Error).message);
    throw new FairleadError('E_CONFIG_UNREADABLE', `cannot read the baseline ${file}: ${why}`, {
      next: `Write one with \`fairlead analyze --write-baseline ${file}\`.`,
    });
  }
  const baseline = readBaseline(text);
  if (baseline !== undefined) return baseline;
  throw new FairleadError('E_CONFIG_UNREADABLE', `${file} is no baseline`, {
    next: `Write one with \`fairlead analyze --write-baseline ${file}\`.`,
  });
}

/** Writes a file whole or not at all: beside its place first, then renamed. Throws E_CONFIG_UNREADABLE. */
export async function replaceFile(file: string, text: string): Promise<void> {
  let folder: string | undefined;
  try {
    folder = await mkdtemp(join(dirname(file), '.fairlead-'));
    const fresh = join(folder, 'baseline');
    await writeFile(fresh, text);
    await rename(fresh, file);
  } catch (error) {
    throw new FairleadError('E_CONFIG_UNREADABLE', `cannot write ${file}: ${(error as Error).message}`);
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}
