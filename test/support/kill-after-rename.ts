/**
 * Loaded into a command by `--import`: it is killed, as by a failing machine, right after the KILL_AFTER-th journal or YAML file took its
 * place by a rename. The names of these files come to stderr.
 */
import fs from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

let renamed = 0;
function count(to: fs.PathLike): void {
  renamed++;
  fs.writeSync(2, `renamed ${to}\n`);
  if (renamed === Number(process.env['KILL_AFTER'])) process.kill(process.pid, 'SIGKILL');
}

const { renameSync } = fs;
const { rename } = promises;
Object.assign(fs, {
  renameSync(from: fs.PathLike, to: fs.PathLike): void {
    renameSync(from, to);
    if (/fairlead.shift/.test(String(to))) count(to);
  },
});
Object.assign(promises, {
  async rename(from: fs.PathLike, to: fs.PathLike): Promise<void> {
    await rename(from, to);
    if (/\.yaml$/.test(String(to))) count(to);
  },
});
syncBuiltinESMExports();
