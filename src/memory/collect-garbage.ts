import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { type: 'minor' | 'major'; flavor?: 'regular' | 'last-resort' }) => void;

let collect: Collect | undefined;

/** Has V8 collect now: its young generation (a millisecond or two), or all that can be had, given back to the system (20 to 50 ms). */
export function collectGarbage(what: 'young' | 'all'): void {
  collect ??= exposed();
  collect(what === 'young' ? { type: 'minor' } : { type: 'major', flavor: 'last-resort' });
}

function exposed(): Collect {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as Collect;
}
