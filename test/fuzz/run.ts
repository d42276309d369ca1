/**
 * `npm run fuzz -- [--minutes N] [--seed S] [--keep-going | --analyze]`: half of the time random meshes and requests through both engines,
 * half of it malformed HTTP through the embedded proxy; with `--analyze` bad configuration through the analysis instead. Exits with 1, the seed
 * and the smallest case when something was found.
 */
import { parseArgs } from 'node:util';
import { fuzzAnalysis } from '../analysis/fuzz/fuzz-analysis.ts';
import { realEnvoy } from '../support/envoy.ts';
import { fuzzDifferential } from './fuzz-differential.ts';
import { fuzzMalformed } from './fuzz-malformed.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string' },
    'keep-going': { type: 'boolean', default: false },
    analyze: { type: 'boolean', default: false },
  },
});
const [minutes, seed] = [Number(values.minutes), values.seed === undefined ? Date.now() % 1_000_000_000 : Number(values.seed)];
if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
  console.error('usage: npm run fuzz -- [--minutes N] [--seed S] [--keep-going | --analyze]');
  process.exit(2);
}
console.log(`seed ${seed}`);
const problems = values.analyze
  ? await fuzzAnalysis({ seed, until: Date.now() + minutes * 60_000, log: console.log })
  : await fuzzEngines(minutes * 30_000);
for (const problem of problems) console.log(problem);
if (problems.length > 0) process.exitCode = 1;

async function fuzzEngines(half: number): Promise<string[]> {
  const envoy = realEnvoy();
  if ('missing' in envoy) console.log(`SKIP the comparison with Envoy: ${envoy.missing}`);
  else {
    const found = await fuzzDifferential({
      envoy: envoy.path,
      seed,
      until: Date.now() + half,
      log: console.log,
      keepGoing: values['keep-going'],
    });
    if (found > 0) process.exitCode = 1;
  }
  return fuzzMalformed({ seed, until: Date.now() + half, log: console.log });
}
