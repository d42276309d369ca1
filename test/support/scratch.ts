import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A folder for one test; it is removed afterwards, whatever happens. */
export function withScratch(run: (folder: string, write: (name: string, text: string) => string) => Promise<void> | void) {
  return async (): Promise<void> => {
    const folder = mkdtempSync(join(tmpdir(), 'fairlead-'));
    try {
      await run(folder, (name, text) => {
        const path = join(folder, name);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, text);
        return path;
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
}
