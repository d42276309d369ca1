/** `npm run fuzz -- [--minutes N] [--seed S] [--only differential|malformed]`: exit 1 with the seed and the smallest case that was found. */
import { parseArgs } from 'node:util';
import { realEnvoy } from '../support/envoy.ts';
import { fuzzDifferential } from './fuzz-differential.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string' }, keep: { type: 'boolean', default: false } },
});
const seed = values.seed === undefined ? Date.now() % 1_000_000_000 : Number(values.seed);
const until = Date.now() + Number(values.minutes) * 60_000;
const envoy = realEnvoy();
if ('missing' in envoy) console.log(`SKIP ${envoy.missing}`);
else {
  const found = await fuzzDifferential({ envoy: envoy.path, seed, until, log: console.log, keepGoing: values.keep });
  if (found > 0) process.exitCode = 1;
}
