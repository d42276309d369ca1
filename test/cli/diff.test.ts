/** `fairlead diff` on copies of the shop: folders, git revisions, and a running agent. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fairlead, type Ran } from '../support/cli.ts';
import { withScratch } from '../support/scratch.ts';

const shop = new URL('../../examples/shop/mesh', import.meta.url).pathname;
const git = (cwd: string, ...args: string[]): string =>
  execFileSync('git', ['-c', 'user.email=a@b.c', '-c', 'user.name=a', ...args], { cwd, encoding: 'utf8', stdio: 'pipe' });

type Edit = (name: string, from: string | RegExp, to: string) => void;

/** The shop as the only commit of a repository, with a function that edits its files. */
function inRepository(run: (diff: (...args: string[]) => Promise<Ran>, edit: Edit, folder: string) => Promise<void>) {
  return withScratch(async (folder) => {
    cpSync(shop, join(folder, 'mesh'), { recursive: true });
    git(folder, 'init', '-q');
    git(folder, 'add', '.');
    git(folder, 'commit', '-qm', 'shop');
    const edit: Edit = (name, from, to) => {
      const path = join(folder, 'mesh', name);
      const text = readFileSync(path, 'utf8');
      assert.not.equal(text.replace(from, to), text, `nothing to edit in ${name}`);
      writeFileSync(path, text.replace(from, to));
    };
    await run((...args) => fairlead(['diff', ...args], { cwd: folder }), edit, folder);
  });
}

test(
  'a changed weight is told with its line, what it changes in Envoy, on how many proxies, and for requests',
  inRepository(async (diff, edit) => {
    edit('catalog.yaml', 'weight: 90', 'weight: 80');
    edit('catalog.yaml', 'weight: 10', 'weight: 20');
    const ran = await diff('--against', 'HEAD');
    assert.is(ran.code, 1, ran.err);
    assert.match(
      ran.out,
      /^mesh\/catalog\.yaml:57:15 {2}VirtualService default\/catalog {2}spec\.http\[1\]\.route\[0\]\.weight 90 -> 80$/m,
    );
    assert.match(
      ran.out,
      /changes route catalog\.default\.svc\.cluster\.local:80 split on \d+ proxies\n\s+route\.weightedClusters\.clusters\[0\]\.weight 90 -> 80/,
    );
    assert.match(
      ran.out,
      /GET http:\/\/catalog\.default\.svc\.cluster\.local\/ .*\n.* subset v1: share 90 % -> 80 %\n.* subset v2: share 10 % -> 20 %/,
    );
  }),
);

test(
  'comments, blank lines and the order of keys are no difference',
  inRepository(async (diff, edit, folder) => {
    edit('ratings.yaml', /^/, '# a comment\n\n');
    edit('catalog.yaml', '{ name: http, port: 80 }', '{ port: 80, name: http }');
    git(folder, 'add', '.');
    const ran = await diff('--against', 'HEAD');
    assert.is(ran.code, 0, ran.out);
    assert.match(ran.out, /^no difference between HEAD and mesh for \d+ proxies\n$/);
  }),
);

test(
  'a moved route that changes nothing for requests is a change of config without one of behaviour',
  inRepository(async (diff, edit) => {
    edit('catalog.yaml', '- name: testers', '- name: testers-of-v2');
    const ran = await diff('--against', 'HEAD', '--proxy', 'web');
    assert.is(ran.code, 1);
    assert.match(ran.out, /requests at the boundaries of the routes concerned would end as before/);
  }),
);

test(
  'what is added, removed, and what changes nothing at all',
  inRepository(async (diff, edit, folder) => {
    appendFileSync(
      join(folder, 'mesh/stock.yaml'),
      '---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: unused }\nspec:\n  hosts: [nowhere.example]\n  gateways: [no-such-gateway]\n  http:\n  - route: [{ destination: { host: stock } }]\n',
    );
    edit('gateway.yaml', /\n {2}- name: old-shop[\s\S]*$/, '\n');
    const ran = await diff('--against', 'HEAD');
    assert.match(ran.out, /^\+ mesh\/stock\.yaml:\d+:\d+ {2}VirtualService default\/unused\n {4}changes nothing in any proxy$/m);
    assert.match(ran.out, /spec\.http\[2\] \{"name":"old-shop".* -> \(none\)\n\s+removes route shop\.example\.com:18000 old-shop/);
    assert.match(ran.out, /GET http:\/\/shop\.example\.com\/shop .*\n\s+- 308 to http:\/\/shop\.example\.com\/catalog\n\s+\+ 404: /);
  }),
);

test(
  'requests of the test files beside the mesh are tried as well',
  inRepository(async (diff, edit, folder) => {
    const tests =
      'tests:\n- name: books\n  hosts: [ratings]\n  paths: [/books/7?all=1]\n  headers: { x-any: here }\n  expect: { destination: { host: ratings } }\n';
    writeFileSync(join(folder, 'mesh/own.mesh-test.yaml'), tests);
    edit('ratings.yaml', 'timeout: 3s', 'timeout: 4s');
    const ran = await diff('--against', 'HEAD');
    assert.is(ran.code, 1, ran.err);
    assert.match(ran.out, /GET http:\/\/ratings\/books\/7\?all=1, x-any: here {2}\(client\.default\)\n.*timeout 3 s -> 4 s/);
  }),
);

test(
  'two folders; -o json is one document with the same facts',
  inRepository(async (diff, edit, folder) => {
    mkdirSync(join(folder, 'next'));
    cpSync(join(folder, 'mesh'), join(folder, 'next'), { recursive: true });
    edit('ratings.yaml', 'timeout: 3s', 'timeout: 4s');
    const ran = await diff('next', 'mesh', '-o', 'json');
    assert.is(ran.code, 1, ran.err);
    const result = JSON.parse(ran.out) as {
      causes: { config: { origin: string; fields: object[] }; effects: object[] }[];
      behaviour: { changes: { facets: object[] }[] }[];
    };
    const [cause] = result.causes;
    assert.is(cause?.config.origin, 'VirtualService default/ratings');
    assert.is(result.causes.length, 1);
    assert.equal(result.behaviour[0]?.changes[0]?.facets[0], { what: 'timeout', before: '3 s', after: '4 s' });
  }),
);

test(
  'a broken folder, an unknown revision or proxy, and a wrong use are one clear error each',
  inRepository(async (diff, edit) => {
    const cases: [args: string[], code: number, says: RegExp][] = [
      [['--against', 'no-such'], 3, /mesh cannot be read at a revision: there is no such revision/],
      [['--against', '--upload-pack=x'], 3, /no such revision/],
      [['--against', 'HEAD', '--live'], 2, /--live/],
      [[], 2, /say what to compare/],
      [['mesh'], 2, /name what to compare with/],
      [['--against', 'HEAD', '--proxy', 'nobody'], 2, /neither side has a proxy nobody[\s\S]*There are: .*web\.default/],
      [['--live', '--agent', 'unix:/nowhere/agent.sock'], 3, /agent/],
    ];
    for (const [args, code, says] of cases) {
      const ran = await diff(...args);
      assert.is(ran.code, code, `${args.join(' ')}: ${ran.out}${ran.err}`);
      assert.match(ran.err, says);
      assert.not.match(ran.err, /\n\s+at /);
    }
    edit('web.yaml', 'kind: Service', 'kind: [');
    const broken = await diff('--against', 'HEAD');
    assert.is(broken.code, 1);
    assert.match(broken.err, /mesh has an?(?: error|\d+ errors| errors)|mesh has errors[\s\S]*mesh\/web\.yaml:\d+/);
  }),
);

test.run();
