/**
 * `npm run fuzz -- [--minutes N] [--seed S] [--keep-going]`: half of the time random meshes and requests through both engines, half of it
 * malformed HTTP through the embedded proxy. Exits with 1, the seed and the smallest case when something was found.
 */
import { parseArgs } from 'node:util';
import { realEnvoy } from '../support/envoy.ts';
import { fuzzDifferential } from './fuzz-differential.ts';
import { fuzzMalformed } from './fuzz-malformed.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string' }, 'keep-going': { type: 'boolean', default: false } },
});
const [minutes, seed] = [Number(values.minutes), values.seed === undefined ? Date.now() % 1_000_000_000 : Number(values.seed)];
if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
  console.error('usage: npm run fuzz -- [--minutes N] [--seed S] [--keep-going]');
  process.exit(2);
}
const half = minutes * 30_000;
console.log(`seed ${seed}`);
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
const problems = await fuzzMalformed({ seed, until: Date.now() + half, log: console.log });
for (const problem of problems) console.log(problem);
if (problems.length > 0) process.exitCode = 1;
