/** Mutated documents never throw: they give resources, problems, or both. A failure prints the seed's text. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeFile } from '../../src/config/decode-file.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { formatProblems } from '../../src/output/problems.ts';
import { type Random, random } from './random.ts';

const folder = fileURLToPath(new URL('goldens', import.meta.url));
const seeds = readdirSync(folder).map((name) => readFileSync(`${folder}/${name}`, 'utf8').split('\n=====\n')[0]!);
const tokens = [
  '{',
  '}',
  '[',
  ']',
  ': ',
  '- ',
  '\n',
  '\n---\n',
  '"',
  "'",
  '#',
  '&a ',
  '*a',
  '<<: *a',
  '|',
  '>',
  '\t',
  '  ',
  '~',
  'yes',
  '-1',
  '1e999',
  '.nan',
  '\r',
  '\u0085',
  '\uFEFF',
  '😀',
  '!!str ',
  '%',
  '@',
  '? ',
  '__proto__: ',
  'items: ',
  'kind: List\n',
  '0x',
  ',',
  'null',
];

function mutate(text: string, r: Random): string {
  let out = text;
  for (let n = r.below(4) + 1; n > 0; n--) {
    const at = r.below(out.length + 1);
    const kind = r.below(5);
    if (kind === 0) out = out.slice(0, at) + r.pick(tokens) + out.slice(at);
    else if (kind === 1) out = out.slice(0, at) + out.slice(at + 1 + r.below(20));
    else if (kind === 2) out = out.slice(0, at) + out.slice(at, at + 40) + out.slice(at);
    else if (kind === 3) out = out.slice(0, at) + String.fromCharCode(r.below(0x300)) + out.slice(at + 1);
    else {
      const lines = out.split('\n');
      const line = r.below(lines.length);
      lines[line] = r.pick([`  ${lines[line]}`, lines[line]!.slice(1), `${lines[line]!.trimEnd()} ${r.pick(tokens)}`]);
      out = lines.join('\n');
    }
  }
  return out;
}

test('mutated configurations', async () => {
  const r = random(42);
  let clean = 0;
  let broken = 0;
  for (let i = 0; i < 1500; i++) {
    const text = mutate(r.pick(seeds), r);
    try {
      const { resources, problems } = await parseConfig(text, 'fuzz.yaml');
      if (problems.length > 0) broken++;
      else clean++;
      const lines = text.split(/\r\n|\r|\n/).length;
      for (const { position, message } of problems) {
        assert.ok(message.length > 0);
        assert.ok(position && position.line >= 1 && position.line <= lines && position.column >= 1, JSON.stringify(position));
      }
      for (const resource of resources) resource.source.positionOf(['spec', 'http', 0, 'route']);
      if (i % 10 === 0) await formatProblems(problems, { sources: new Map([['fuzz.yaml', text]]), width: 40, color: true });
    } catch (error) {
      assert.unreachable(`${error instanceof Error ? error.stack : error}\nfor ${JSON.stringify(text)}`);
    }
  }
  assert.ok(broken > 100 && clean + broken === 1500);
});

test('random bytes', async () => {
  const r = random(7);
  for (let i = 0; i < 500; i++) {
    const bytes = Buffer.from(Array.from({ length: r.below(200) }, () => r.below(i % 2 === 0 ? 256 : 128)));
    const decoded = decodeFile('fuzz', bytes);
    if ('text' in decoded) await parseConfig(decoded.text, 'fuzz');
    else assert.ok(decoded.position!.line >= 1);
  }
});

test('every value of an object replaced by every kind of value', async () => {
  const base = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'a', labels: { a: 'b' } },
    spec: {
      hosts: ['a'],
      http: [
        {
          match: [{ uri: { prefix: '/' }, headers: { x: { exact: 'y' } } }],
          route: [{ destination: { host: 'a' }, weight: 1 }],
          retries: { attempts: 1 },
          fault: { delay: { fixedDelay: '1s' } },
        },
      ],
    },
  };
  const values = [null, true, 0, -1.5, '', 'x', [], {}, [null], [[]], { a: null }, ['x'], [{}]];
  const paths: (string | number)[][] = [];
  const collect = (value: unknown, path: (string | number)[]): void => {
    if (path.length > 0) paths.push(path);
    if (value !== null && typeof value === 'object')
      for (const [k, v] of Object.entries(value)) collect(v, [...path, Array.isArray(value) ? Number(k) : k]);
  };
  collect(base, []);
  for (const path of paths) {
    for (const value of values) {
      const copy = structuredClone(base) as unknown as Record<string | number, unknown>;
      let at = copy;
      for (const step of path.slice(0, -1)) at = at[step] as Record<string | number, unknown>;
      at[path.at(-1)!] = value;
      const { resources, problems } = await parseConfig(JSON.stringify(copy), 'a.json');
      assert.ok(resources.length > 0 || problems.length > 0, JSON.stringify(copy));
    }
  }
});

test.run();
