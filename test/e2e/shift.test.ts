// test: exclusive
/** `route shift` on the demo shop's catalog, on both engines: a good version gets all the traffic, a bad one is taken back. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fairlead, type Ran, type Running, startFairlead } from '../support/cli.ts';
import { realEnvoy } from '../support/envoy.ts';
import { until } from '../support/http.ts';
import { failEvery20th, type ShopMesh, withShopMesh } from '../support/shop-mesh.ts';

const killAfterRename = fileURLToPath(new URL('../support/kill-after-rename.ts', import.meta.url));

interface Shop extends ShopMesh {
  /** What holds the route, and what it says at first. */
  file: string;
  routing: string;
  shift(...args: string[]): Promise<Ran>;
  /** With `env` over the shop's own. */
  startShift(args: readonly string[], env?: Record<string, string>): Running;
}

function withShop(engine: 'embedded' | 'envoy', run: (shop: Shop) => Promise<void>): Promise<void> {
  return withShopMesh(engine, (mesh) => {
    const folder = join(mesh.root, 'examples/shop/mesh');
    const file = join(folder, 'catalog.yaml');
    const command = ['route', 'shift', 'catalog', '--to', 'v2', '-f', folder];
    return run({
      ...mesh,
      file,
      routing: readFileSync(file, 'utf8'),
      shift: (...args) => fairlead([...command, ...args], { env: mesh.env }),
      startShift: (args, env) => startFairlead([...command, ...args], { ...mesh.env, ...env }),
    });
  });
}

const steps = ['--steps', '20,50,100', '--every', '700ms', '--gate', 'errors<2%', '--gate', 'p99<5s', '--min-requests', '15'];
const weightsIn = (file: string): number[] =>
  [...readFileSync(file, 'utf8').matchAll(/weight: (\d+)/g)].map(([, weight]) => Number(weight));
const envoy = realEnvoy();

for (const engine of ['embedded', 'envoy'] as const) {
  const check = (name: string, run: () => Promise<void>): void => {
    if (engine === 'envoy' && !('path' in envoy)) test.skip(`${name} (${engine}; no Envoy: ${envoy.missing})`, () => undefined);
    else test(`${name} (${engine})`, run);
  };

  check('a healthy version gets all the traffic, step by step', () =>
    withShop(engine, async ({ file, routing, shift, seen }) => {
      const ran = await shift(...steps);
      assert.is(ran.code, 0, ran.err + ran.out);
      assert.match(ran.err, /^20 % {3}applied on \d+ prox/m);
      assert.match(ran.err, /^100 % {2}\d+ requests, errors 0 %, p99 \d+ ms: passed$/m);
      assert.match(ran.out, /v1 90%, v2 10% -> v1 0%, v2 100%/);
      // Nothing but the two weights.
      assert.is(readFileSync(file, 'utf8'), routing.replace('weight: 90', 'weight: 0').replace('weight: 10', 'weight: 100'));
      await until('v2 has all', () => seen()['v2'] === 1, 10_000);
    }),
  );

  check('a version that fails 5 % of its calls is taken back at once, and the file is as it was', () =>
    withShop(engine, async ({ file, routing, v2, shift, seen }) => {
      failEvery20th(v2);
      const ran = await shift(...steps);
      assert.is(ran.code, 1, ran.err + ran.out);
      assert.match(ran.err, /errors<2% does not hold: [\d.]+ % of \d+ requests/);
      assert.match(ran.out, /went back to v1 90%, v2 10% from \d+ %: errors<2% does not hold/);
      assert.is(readFileSync(file, 'utf8'), routing);
      await until('v1 has most', () => (seen()['v1'] ?? 0) > 0.75, 10_000);
    }),
  );
}

test('Ctrl-C takes everything back and exits with 1', () =>
  withShop('embedded', async ({ file, routing, startShift }) => {
    const running = startShift(['--steps', '30,100', '--every', '30s']);
    await until('the first step', () => running.err().includes('applied'), 20_000);
    assert.equal(weightsIn(file), [70, 30]);
    running.child.kill('SIGINT');
    assert.is(await running.ended, 1);
    assert.match(running.out(), /went back to v1 90%, v2 10% from 30 %: it was stopped/);
    assert.is(readFileSync(file, 'utf8'), routing);
  }));

/** What each kill leaves: the split in the file, and what the same command then does first. */
const KILLS: [after: string, weights: number[], next: RegExp][] = [
  ['the journal of the first step', [9, 1], /^20 % {3}applied/m],
  ['the file of the first step', [80, 20], /which ended at 20 %\n20 % {3}applied/],
  ['the journal of the second', [80, 20], /which ended at 20 %\n50 % {3}applied/],
  ['the file of the second', [50, 50], /which ended at 50 %\n50 % {3}applied/],
  ['the journal of the third', [50, 50], /which ended at 50 %\n100 % {2}applied/],
  ['the file of the third', [0, 100], /which ended at 100 %\n100 % {2}applied/],
];

test('wherever it is killed, weights add up, the same command goes on, and what it goes back to is the file from before, to the letter', () =>
  withShop('embedded', async (shop) => {
    const { file, startShift } = shop;
    // Weights that are no percent, and notes beside them: what no share can tell.
    const routing = shop.routing
      .replace('subset: v1 }\n      weight: 90', 'subset: v1 } # the old one\n      weight: 9 # of ten')
      .replace('weight: 10', 'weight: 1');
    assert.is.not(routing, shop.routing);
    for (const [i, [after, weights, next]] of KILLS.entries()) {
      writeFileSync(file, routing);
      const killed = startShift(['--steps', '20,50,100', '--every', '100ms'], {
        NODE_OPTIONS: `--import=${killAfterRename}`,
        KILL_AFTER: String(i + 1),
      });
      await killed.ended;
      assert.is(killed.child.signalCode, 'SIGKILL', `${after}: ${killed.err()}`);
      assert.match(killed.err(), i % 2 === 0 ? /renamed \S*shift\S*\n$/ : /renamed \S*catalog\.yaml\n$/, after);
      assert.equal(weightsIn(file), weights, after);
      const again = startShift(['--steps', '20,50,100', '--every', '30s']);
      await until(`a step after ${after}`, () => again.err().includes('applied') || again.child.exitCode !== null, 20_000);
      assert.match(again.err(), next, after);
      again.child.kill('SIGINT');
      assert.is(await again.ended, 1, again.err());
      assert.is(readFileSync(file, 'utf8'), routing, after);
    }
  }));

test('a second shift waits for the first, not for a later process with its id; steps that end before what was reached are refused', () =>
  withShop('embedded', async ({ root, shift, startShift }) => {
    const journals = join(root, 'state/fairlead/shift');
    const running = startShift(['--steps', '30,60', '--every', '30s']);
    await until('the first step', () => running.err().includes('applied'), 20_000);
    const meanwhile = await shift('--steps', '30,60');
    assert.is(meanwhile.code, 2);
    assert.match(meanwhile.err, new RegExp(`another shift of this route is under way \\(process ${running.child.pid}\\), at 30 %`));
    running.child.kill('SIGKILL');
    await running.ended;
    // Another process has the id now: this one.
    const [journal = ''] = readdirSync(journals);
    const entry = JSON.parse(readFileSync(join(journals, journal), 'utf8')) as { process: { pid: number } };
    assert.is(entry.process.pid, running.child.pid);
    writeFileSync(join(journals, journal), JSON.stringify({ ...entry, process: { ...entry.process, pid: process.pid } }));
    const refused = await shift('--steps', '10,20');
    assert.is(refused.code, 2, refused.err);
    assert.match(refused.err, /--steps 10,20 ends before 30 %/);
    const ran = await shift('--steps', '30,60,100', '--every', '300ms');
    assert.is(ran.code, 0, ran.err);
    assert.match(ran.err, /going on with the shift of .*, which ended at 30 %/);
    assert.match(ran.out, /v1 90%, v2 10% -> v1 0%, v2 100%/);
  }));

test('what somebody else changes meanwhile is left alone', () =>
  withShop('embedded', async ({ file, shift }) => {
    const done = shift('--steps', '30,100', '--every', '1s');
    await until('the first step', () => readFileSync(file, 'utf8').includes('weight: 30'), 20_000);
    const theirs = readFileSync(file, 'utf8').replace('weight: 70', 'weight: 65').replace('weight: 30', 'weight: 35');
    writeFileSync(file, theirs);
    const ran = await done;
    assert.is(ran.code, 3, ran.out);
    assert.match(ran.err, /changed by somebody else: it is v1 65%, v2 35% now/);
    assert.is(readFileSync(file, 'utf8'), theirs);
  }));

test.run();
