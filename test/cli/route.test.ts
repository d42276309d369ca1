/** The route commands as people type them, on copies of the shop. */
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fairlead, type Ran } from '../support/cli.ts';
import { withScratch } from '../support/scratch.ts';

const shop = new URL('../../examples/shop/mesh', import.meta.url).pathname;

/** A copy of the shop, and a function that runs a route command on it. */
function onShop(run: (route: (...args: string[]) => Promise<Ran>, read: (name: string) => string, mesh: string) => Promise<void>) {
  return withScratch(async (folder) => {
    const mesh = join(folder, 'mesh');
    cpSync(shop, mesh, { recursive: true });
    await run(
      (...args) => fairlead(['route', ...args], { cwd: folder }),
      (name) => readFileSync(join(mesh, name), 'utf8'),
      mesh,
    );
  });
}
const original = (name: string): string => readFileSync(join(shop, name), 'utf8');

test(
  'a split changes two numbers in the file and nothing else; what follows sees it',
  onShop(async (route, read) => {
    const ran = await route('split', 'catalog', 'v1=75', 'v2=25');
    assert.is(ran.code, 0, ran.err);
    assert.match(ran.out, /route #2 "split" of catalog\.default\.svc\.cluster\.local: v1 75%, v2 25%\nchanged mesh\/catalog\.yaml/);
    assert.is(read('catalog.yaml'), original('catalog.yaml').replace('weight: 90', 'weight: 75').replace('weight: 10', 'weight: 25'));
    const list = JSON.parse((await route('list', 'catalog', '--json')).out) as { action: string[] }[];
    assert.equal(list[1]?.action, ['catalog/v1 75%', 'catalog/v2 25%']);
  }),
);

test(
  'shares that do not add up, unknown services, subsets and routes: one error, exit 2, nothing written',
  onShop(async (route, read) => {
    const cases: [args: string[], says: RegExp][] = [
      [['split', 'catalog', 'v1=90', 'v2=9'], /add up to 99, not to 100/],
      [['split', 'catalog', 'v1=100', 'v1=0'], /named twice/],
      [['split', 'catalog', 'v1:90'], /"v1:90" is not a share/],
      [['split', 'catalog'], /a service and its shares must be named/],
      [['split', 'catalgo', 'v1=100'], /no service catalgo[\s\S]*Did you mean catalog\.default\?/],
      [['split', 'catalog', 'v9=100'], /no subset v9[\s\S]*running versions v1, v2/],
      [['timeout', 'catalog', '2s', '-r', 'nope'], /no route nope[\s\S]*#1 "testers" \(mesh\/catalog\.yaml:48\), #2 "split"/],
      [['timeout', 'catalog', 'soon'], /"soon" is not a duration/],
      [['fault', 'catalog', '--abort', '42'], /is not a status/],
      [['fault', 'catalog', '--delay', '1s', '--percent', '101'], /percentage from 0 to 100/],
      [['remove', 'catalog', '-r', '1'], /say --yes/],
    ];
    for (const [args, says] of cases) {
      const ran = await route(...args);
      assert.is(ran.code, 2, `${args.join(' ')}: ${ran.err}`);
      assert.match(ran.err, says);
      assert.not.match(ran.err, /\n\s+at /);
    }
    assert.is(read('catalog.yaml'), original('catalog.yaml'));
  }),
);

test(
  'what analysis would refuse is refused, with its line, and nothing is written',
  onShop(async (route, read) => {
    const ran = await route('retry', 'ratings', '3', '--on', '5xx,nonsense');
    assert.is(ran.code, 3, ran.out);
    assert.match(ran.err, /nonsense[\s\S]*Nothing was written/);
    assert.is(read('ratings.yaml'), original('ratings.yaml'));
  }),
);

test(
  '--dry-run prints a diff that patch understands, and writes nothing',
  onShop(async (route, read) => {
    const ran = await route('mirror', 'ratings', '--to', 'audit/', '--percent', '10', '--dry-run');
    assert.is(ran.code, 0, ran.err);
    assert.match(ran.out, /^--- a\/mesh\/ratings\.yaml\n\+\+\+ b\/mesh\/ratings\.yaml\n@@ /);
    assert.match(ran.out, /\+ {4}mirrors:\n\+ {4}- destination:\n\+ {8}host: audit\n\+ {6}percentage:\n\+ {8}value: 10/);
    assert.is(read('ratings.yaml'), original('ratings.yaml'));
  }),
);

test(
  'without a VirtualService and a DestinationRule both are made, from the versions that run',
  onShop(async (route, read, mesh) => {
    const text = original('catalog.yaml').split('---').slice(0, 3).join('---');
    writeFileSync(join(mesh, 'catalog.yaml'), text);
    for (const name of readdirSync(mesh)) if (name !== 'catalog.yaml') rmSync(join(mesh, name));
    const ran = await route('split', 'catalog', 'v1=95', 'v2=5');
    assert.is(ran.code, 0, ran.err);
    assert.ok(read('catalog.yaml').startsWith(text));
    const shown = await route('show', 'catalog');
    assert.match(shown.out, /VirtualService default\/catalog[\s\S]*subset: v1\n {6}weight: 95[\s\S]*subset: v2\n {6}weight: 5/);
    assert.match(shown.out, /DestinationRule default\/catalog[\s\S]*- name: v2\n {4}labels:\n {6}version: v2/);
  }),
);

test(
  'a new route comes first; the same command changes it; the last one takes its VirtualService along',
  onShop(async (route, read) => {
    assert.is((await route('set', 'delivery', 'slow', '--header', 'x-slow', '--path', '/track*', '--to', 'delivery/')).code, 0);
    assert.match(
      read('delivery.yaml'),
      /http:\n {2}- name: slow\n {4}match:\n {4}- uri:\n {8}prefix: \/track\n {6}headers:\n {8}x-slow: \{\}/,
    );
    assert.is((await route('set', 'delivery', 'slow', '--method', 'get')).code, 0);
    assert.match(read('delivery.yaml'), /- name: slow\n {4}match:\n {4}- method:\n {8}exact: GET\n {4}route:/);
    assert.is((await route('remove', 'delivery', '-r', 'slow', '--yes')).code, 0);
    assert.is(read('delivery.yaml'), original('delivery.yaml'));
    assert.is((await route('remove', 'delivery', '--yes')).code, 0);
    assert.not.match(read('delivery.yaml'), /VirtualService/);
    assert.match((await route('list', 'delivery')).out, /no VirtualService routes requests for delivery/);
  }),
);

test(
  'timeout, retry, fault and mirror set and take away again what they set',
  onShop(async (route, read) => {
    const before = original('ratings.yaml');
    const steps: [on: string[], off: string[], says: RegExp][] = [
      [
        ['fault', 'ratings', '--delay', '2s', '--percent', '10'],
        ['fault', 'ratings', '--off'],
        /fixedDelay: 2s\n {8}percentage:\n {10}value: 10/,
      ],
      [['mirror', 'ratings', '--to', 'audit/'], ['mirror', 'ratings', '--off'], /mirrors:\n {4}- destination:\n {8}host: audit/],
    ];
    for (const [on, off, says] of steps) {
      assert.is((await route(...on)).code, 0);
      assert.match(read('ratings.yaml'), says);
      assert.is((await route(...off)).code, 0);
      assert.is(read('ratings.yaml'), before);
    }
    assert.is((await route('retry', 'ratings', '5', '--per-try-timeout', '250ms')).code, 0);
    assert.match(read('ratings.yaml'), /attempts: 5/);
    assert.match(read('ratings.yaml'), /perTryTimeout: 250ms/);
    assert.is((await route('timeout', 'ratings', 'off')).code, 0);
    assert.not.match(read('ratings.yaml'), /timeout: 3s/);
  }),
);

test.run();
