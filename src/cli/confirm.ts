import { createInterface } from 'node:readline/promises';
import { FairleadError } from '../errors.ts';

/** Asks on a terminal before something is done that cannot be undone. Throws E_USAGE when it is not confirmed, and off a terminal. */
export async function confirm(what: string, yes: boolean): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new FairleadError('E_USAGE', `${what}: say --yes to do it without being asked`, { next: 'Or --dry-run, to see the change.' });
  const ask = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await ask.question(`${what}. Go on? [y/N] `).finally(() => ask.close());
  if (!/^y(es)?$/i.test(answer.trim())) throw new FairleadError('E_USAGE', 'not confirmed: nothing was changed');
}
