import { random } from '../config/random.ts';
import { type Outcome, type Pair, startPair } from './differential.ts';
import { randomMesh } from './random-mesh.ts';
import { randomRequest } from './random-request.ts';
import { shrink } from './shrink.ts';
import type { FuzzCase } from './types.ts';

export interface DifferentialOptions {
  /** The binary. */
  envoy: string;
  /** The first mesh's; each mesh has the next one. */
  seed: number;
  /** Milliseconds since 1970. */
  until: number;
  log(line: string): void;
  /** Goes on after a difference. */
  keepGoing?: boolean;
}

const REQUESTS = 25;
/** Meshes tried for one that is smaller. */
const SMALLER = 250;

export function caseOfSeed(seed: number): FuzzCase {
  const r = random(seed);
  return { mesh: randomMesh(r), requests: Array.from({ length: REQUESTS }, () => randomRequest(r)) };
}

/** Meshes and requests until the time is over or the engines differ. Returns how many differences were found. */
export async function fuzzDifferential({ envoy, seed: first, until, log, keepGoing }: DifferentialOptions): Promise<number> {
  const pair = await startPair(envoy);
  let [meshes, requests, invalid, found] = [0, 0, 0, 0];
  const told = new Set<string>();
  try {
    for (let seed = first; Date.now() < until; seed++) {
      const fuzzCase = caseOfSeed(seed);
      const outcome = await pair.run(fuzzCase);
      if (outcome.kind === 'invalid') invalid++;
      else {
        meshes++;
        requests += fuzzCase.requests.length;
      }
      if (process.env['FUZZ_VERBOSE'] && outcome.kind === 'invalid') log(outcome.why);
      if (outcome.kind !== 'different') continue;
      found++;
      if (told.has(kindOf(outcome.lines))) continue;
      told.add(kindOf(outcome.lines));
      log(`seed ${seed}: the engines differ\n${outcome.lines.join('\n')}`);
      log(await smallest(pair, fuzzCase, outcome));
      if (!keepGoing) break;
    }
  } finally {
    await pair.close();
  }
  log(
    `${meshes} meshes (${invalid} more that nobody could run), ${requests} requests through both engines from seed ${first}: ${found} differences`,
  );
  return found;
}

/** What is said of one difference, without the values: so that a smaller mesh is about the same thing. */
const kindOf = (lines: readonly string[]): string => {
  const [first = ''] = lines;
  return first.includes(' status ')
    ? lines
        .slice(0, 1)
        .concat(lines.filter((l) => l.startsWith('envoy:    status')))
        .join()
    : (/^[^:]+: +(?:client sees |trailer |arrival \d+: )?[\w-]+/.exec(first)?.[0] ?? first);
};

async function smallest(pair: Pair, fuzzCase: FuzzCase, { request, lines }: Outcome & { kind: 'different' }): Promise<string> {
  const kind = kindOf(lines);
  let last = lines;
  const holds = async (smaller: FuzzCase): Promise<boolean> => {
    const outcome = await pair.run(smaller).catch(() => undefined);
    const same = outcome?.kind === 'different' && kindOf(outcome.lines) === kind;
    if (same) last = outcome.lines;
    return same;
  };
  const alone: FuzzCase = { ...fuzzCase, requests: fuzzCase.requests.slice(request, request + 1) };
  const start = request >= 0 && (await holds(alone)) ? alone : fuzzCase;
  // A request without its method or path is none.
  const allowed = (path: readonly (string | number)[]): boolean =>
    path.length > 1 &&
    path.at(-1) !== 'protocol' &&
    !(path[0] === 'requests' && (path.length < 3 || (path.length === 3 && !['body'].includes(String(path[2]))) || path.length > 4));
  const small = await shrink(start, allowed, holds, SMALLER);
  return `smallest:\n${small.mesh.documents.map((d) => `---\n${JSON.stringify(d)}`).join('\n')}\nbackends ${JSON.stringify(small.mesh.backends)}\nrequests ${JSON.stringify(small.requests)}\n${last.join('\n')}`;
}
