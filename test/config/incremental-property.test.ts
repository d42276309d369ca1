import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createLoader, type LoadResult, loadConfig } from '../../src/config/load.ts';
import type { Resource } from '../../src/config/resource.ts';
import { buildMesh } from '../../src/mesh/mesh.ts';
import { random } from '../mesh/random-changes.ts';
import { withScratch } from '../support/scratch.ts';

type Next = (below: number) => number;

/** Documents of all sorts: right, wrong, double, broken, lists, comments, odd line ends and separators. */
const pieces: ((next: Next) => string)[] = [
  (next) => service(next(6), next(3)),
  (next) => service(next(6), next(3)),
  (next) =>
    `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v${next(4)}}\nspec:\n  hosts: [s${next(6)}]\n  http:\n    - route: [{destination: {host: nobody}}]\n`,
  (next) => `apiVersion: v1\nkind: List\nitems:\n  - ${indented(service(next(6), 0))}\n  - ${indented(service(next(6), 1))}\n`,
  (next) => `apiVersion: v1\nkind: Service\nmetadata: {name: w${next(3)}}\nspec: {prots: [${next(4)}]}\n`,
  () => 'a: [1, 2\n',
  () => '# only a comment\n',
  () => 'just text\n',
  (next) => `apiVersion: example.com/v1\nkind: Other\nmetadata: {name: o${next(3)}}\n`,
  (next) =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata:\n  mesh: |\n    proxyHttpPort: ${next(3)}\n    ${next(2) === 0 ? 'wrong: 1' : 'enableTracing: false'}\n`,
  () => '%YAML 1.2\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: directive}\n',
  () => '# é ü 漢字\n',
  () => '...\n',
];
const service = (n: number, port: number): string =>
  `apiVersion: v1\nkind: Service\nmetadata:\n  name: s${n}\nspec:\n  ports: [{name: http, port: ${80 + port}}]\n`;
const indented = (text: string): string => text.trimEnd().replaceAll('\n', '\n    ');

function document(next: Next): string {
  const text = pieces[next(pieces.length)]!(next);
  return next(10) === 0 ? text.replaceAll('\n', '\r\n') : text;
}

/** A text after a random change: documents come, go, move and change; lines and characters do as well. */
function edited(text: string, next: Next): string {
  const documents = text.split(/^---[^\n]*\n/m);
  const at = next(documents.length);
  switch (next(8)) {
    case 0:
    case 1:
      documents.splice(at, 0, document(next));
      break;
    case 2:
      documents.splice(at, 1);
      break;
    case 3:
      documents[at] = document(next);
      break;
    case 4:
      documents.splice(next(documents.length), 0, documents.splice(at, 1)[0]!);
      break;
    case 5:
      documents[at] = `${'# a line\n'.repeat(1 + next(3))}${documents[at]}`;
      break;
    case 6:
      documents.push(documents[at]!);
      break;
    default: {
      const place = next(text.length + 1);
      return text.slice(0, place) + ['', ' ', '\n', '---\n', '\n---\n', '\n...\n', 'x'][next(7)]! + text.slice(place + next(4));
    }
  }
  return documents.join('---\n');
}

const paths = [['metadata', 'name'], ['spec'], ['spec', 'ports', 0, 'port'], ['spec', 'http', 0, 'route', 0, 'destination', 'host']];

function picture({ resources, problems, meshConfig, meshConfigSource, skipped, files }: LoadResult): unknown {
  const ofResource = ({ source, ...rest }: Resource): unknown => [
    rest,
    source.file,
    source.document,
    paths.flatMap((path) => [source.positionOf(path), source.keyPositionOf(path)]),
  ];
  return {
    resources: resources.map(ofResource),
    problems,
    meshConfig,
    meshAt: meshConfigSource?.positionOf(['proxyHttpPort']),
    skipped: [...skipped],
    files,
    found: buildMesh(resources).problems.map((p) => ({ ...p })),
  };
}

for (const seed of [1, 2, 3, 4, 5, 6]) {
  test(
    `a configuration that is loaded again and again is as one that is loaded once (seed ${seed})`,
    withScratch(async (scratch) => {
      const next = random(seed);
      const folder = join(scratch, 'mesh');
      mkdirSync(folder);
      const texts = new Map<string, string>();
      const names = ['a.yaml', 'b.yaml', 'c.yml'];
      const load = createLoader([folder]);
      let before = await load();
      let [kept, all] = [0, 0];
      for (let step = 0; step < 60; step++) {
        const name = names[next(3)]!;
        if (next(15) === 0) {
          texts.delete(name);
          rmSync(join(folder, name), { force: true });
        } else {
          const text = edited(texts.get(name) ?? document(next), next);
          texts.set(name, text);
          writeFileSync(join(folder, name), text);
        }
        const problems = buildMesh(before.resources).problems;
        for (const problem of problems) assert.ok(problem.position);
        const now = await load();
        assert.equal(picture(now), picture(await loadConfig([folder])), `step ${step}`);
        // What was said about what stays is right on its new line.
        const staying = new Set(now.resources);
        for (const resource of before.resources) if (staying.has(resource)) kept++;
        all += before.resources.length;
        before = now;
      }
      assert.ok(kept > all / 2, `only ${kept} of ${all} resources were kept`);
    }),
  );
}

test(
  'one changed document of a file leaves the other resources the objects that they are, on their new lines',
  withScratch(async (folder) => {
    const file = join(folder, 'mesh.yaml');
    const text = (port: number, more: string): string => [service(1, 0), more + service(2, port), service(3, 0)].join('---\n');
    writeFileSync(file, text(0, ''));
    const load = createLoader([file]);
    const before = (await load()).resources;
    const lineOf = (r: Resource): number => r.source.positionOf(['metadata', 'name']).line;
    assert.equal(before.map(lineOf), [4, 11, 18]);
    writeFileSync(file, text(1, '# one\n# two\n'));
    const after = (await load()).resources;
    assert.equal(
      after.map((r, i) => r === before[i]),
      [true, false, true],
    );
    assert.equal(after.map(lineOf), [4, 13, 20]);
    assert.is(lineOf(before[2]!), 20, 'whoever holds the resource finds it where it is');
  }),
);

test(
  'a problem that was found before is told with the line where it is now',
  withScratch(async (folder) => {
    const file = join(folder, 'mesh.yaml');
    const route =
      'apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v}\nspec:\n  hosts: [s]\n  http:\n    - delegate: {name: none}\n';
    writeFileSync(file, `${service(1, 0)}---\n${route}`);
    const load = createLoader([file]);
    const { problems } = buildMesh((await load()).resources);
    assert.equal(
      problems.map((p) => p.position?.line),
      [14],
    );
    writeFileSync(file, `# one\n# two\n${service(1, 0)}---\n${route}`);
    await load();
    assert.equal(
      problems.map((p) => p.position?.line),
      [16],
    );
  }),
);

test.run();
