import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { type: 'minor' | 'major'; flavor?: 'regular' | 'last-resort' }) => void;

let collect: Collect | undefined;

/**
 * Has V8 collect now: its young generation (a millisecond or two), both generations (some 30 ms for 100 MB), or all that can be had, given
 * back to the system (for idle processes: compiled code goes too).
 */
export function collectGarbage(what: 'young' | 'both' | 'all'): void {
  collect ??= exposed();
  if (what === 'young') collect({ type: 'minor' });
  else collect({ type: 'major', flavor: what === 'all' ? 'last-resort' : 'regular' });
}

function exposed(): Collect {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as Collect;
}
