/** Configurations that are wrong in every way: spoiled texts, spoiled objects, and what is made to harm a parser. */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments, stringify } from 'yaml';
import type { Random } from '../../config/random.ts';

type Json = { [key: string]: unknown };
const isMap = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

const folder = fileURLToPath(new URL('..', import.meta.url));
const TEXTS = globSync(['healthy/*.yaml', 'cases/*/*.yaml'], { cwd: folder })
  .sort()
  .map((name) => readFileSync(`${folder}/${name}`, 'utf8'));
const OBJECTS: readonly Json[] = TEXTS.flatMap((text) => parseAllDocuments(text, { logLevel: 'silent' })).flatMap((document) => {
  if (!('toJS' in document) || document.errors.length > 0) return [];
  const value = document.toJS() as unknown;
  return isMap(value) ? [value] : [];
});

const PROTOTYPE = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype', 'valueOf', 'then', 'length'];
const TOKENS = [
  ...['{', '}', '[', ']', ': ', '- ', '\n', '\n---\n', '"', "'", '#', '&a ', '*a', '<<: *a', '|', '>', '\t', '  ', '? ', '!!binary '],
  ...['\r', '\u0085', '\u2028', '\uFEFF', '😀', '\u0000', '\u001b[31m', '%', '@', 'kind: List\n', 'items: ', '~', 'on', '0o17', '-1'],
];
const SCALARS: readonly unknown[] = [
  ...[
    null,
    true,
    false,
    0,
    -1,
    1.5,
    1e308,
    2 ** 53,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '',
    ' ',
    '*',
    '*.',
    '.',
    '..',
    '/',
    '//',
    '*/*',
    './*',
    '~/*',
  ],
  ...[
    '*.*',
    'a.b.svc.cluster.local',
    '.svc.cluster.local',
    'svc',
    '::1',
    '1.2.3.4/33',
    '999999999999',
    '99999999999s',
    '-5s',
    '%',
    'ü.ex',
    '\u001b[31m',
  ],
  ...[
    '(',
    '(a+)+$',
    '(?=a)',
    '[^]',
    'a{1,1000}{1,1000}',
    '\\',
    'spiffe://',
    '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----',
    '{',
    '%REQ(',
  ],
  ...['x'.repeat(70_000), 'a.'.repeat(3000), ...PROTOTYPE],
];

const withKey = (r: Random): string => (r.below(3) === 0 ? r.pick(PROTOTYPE) : r.pick(Object.keys(r.pick(OBJECTS))));

/** One place in it changed: a value, a key, or something of another object in its place. */
function spoilObject(value: Json, r: Random): void {
  let at: Json | unknown[] = value;
  for (;;) {
    const keys = Object.keys(at);
    const key = keys.length === 0 ? '0' : r.pick(keys);
    const here = at as Json;
    const inner = here[key];
    if (typeof inner === 'object' && inner !== null && r.below(7) > 0) {
      at = inner as Json;
      continue;
    }
    const kind = r.below(8);
    if (kind === 0) delete here[key];
    else if (kind === 1) here[key] = [inner, inner];
    else if (kind === 2) here[key] = { [withKey(r)]: inner };
    else if (kind === 3 && !Array.isArray(at)) set(here, withKey(r), inner);
    else if (kind === 4) here[key] = somewhere(r);
    else if (kind === 5 && Array.isArray(at)) at.push(structuredClone(r.pick(at)), somewhere(r));
    else here[key] = r.pick(SCALARS);
    return;
  }
}

/** `__proto__` as a key like others. */
const set = (to: Json, key: string, value: unknown): void =>
  void Object.defineProperty(to, key, { value, enumerable: true, configurable: true, writable: true });

/** A part of some other object. */
function somewhere(r: Random): unknown {
  let value: unknown = r.pick(OBJECTS);
  while (typeof value === 'object' && value !== null && Object.keys(value).length > 0 && r.below(4) > 0)
    value = r.pick(Object.values(value));
  return structuredClone(value);
}

function spoiledObjects(r: Random): string {
  const objects = Array.from({ length: 1 + r.below(12) }, () => structuredClone(r.pick(OBJECTS)));
  // Objects of one corpus meet in one namespace, under few names: conflicts, cycles and references.
  for (const object of objects) {
    const { metadata } = object;
    if (isMap(metadata) && r.below(2) === 0) metadata['name'] = r.pick(['a', 'b', 'reviews', ...PROTOTYPE]);
    if (isMap(metadata) && r.below(3) === 0) metadata['namespace'] = r.pick(['a', 'default', 'istio-system', 'constructor']);
    for (let n = r.below(4); n > 0; n--) spoilObject(object, r);
  }
  const write = r.below(2) === 0 ? (value: unknown) => `${JSON.stringify(value)}\n` : (value: unknown) => stringify(value);
  return r.below(6) === 0 ? write({ apiVersion: 'v1', kind: 'List', items: objects }) : objects.map(write).join('---\n');
}

function spoiledText(r: Random): string {
  let out = r.pick(TEXTS);
  for (let n = r.below(6) + 1; n > 0; n--) {
    const at = r.below(out.length + 1);
    const kind = r.below(6);
    if (kind === 0) out = out.slice(0, at) + r.pick(TOKENS) + out.slice(at);
    else if (kind === 1) out = out.slice(0, at) + out.slice(at + 1 + r.below(30));
    else if (kind === 2) out = out.slice(0, at) + out.slice(at, at + 60) + out.slice(at);
    else if (kind === 3) out = out.slice(0, at) + r.pick(TEXTS).slice(r.below(200), 200 + r.below(400)) + out.slice(at);
    else if (kind === 4) out = out.replaceAll(/\n {2}/g, (all) => (r.below(40) === 0 ? '\n' : all));
    else out = out.replace(/: (\w+)$/m, () => `: ${r.pick(['on', '010', '0x1f', '1_000', '.inf', '*x', '&x y', '[', '"'])}`);
  }
  return out;
}

function randomBytes(r: Random): Buffer {
  const printable = r.below(2) === 0;
  return Buffer.from(
    Array.from({ length: r.below(4000) }, () => (printable ? r.pick([9, 10, 10, 32, 32, 45, 58, 91, 123, 97, 42, 38, 124]) : r.below(256))),
  );
}

/** A cycle of delegates, one of Lists, aliases to aliases, and nesting of every notation. */
function made(r: Random): string {
  const deep = 50 + r.below(3000);
  const object = (spec: string): string => `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec: ${spec}\n`;
  switch (r.below(7)) {
    case 0:
      return object(`{hosts: [a], http: ${'[{match: '.repeat(deep)}1${'}]'.repeat(deep)}}`);
    case 1:
      return Array.from({ length: Math.min(deep, 400) }, (_, i) => `${' '.repeat(i)}a:\n`).join('');
    case 2:
      return `${'- '.repeat(deep)}a\n`;
    case 3: {
      const width = 2 + r.below(12);
      const names = Array.from({ length: 2 + r.below(30) }, (_, i) => `a${i}`);
      const lines = names.map(
        (name, i) =>
          `${name}: &${name} [${Array(width)
            .fill(i === 0 ? 'x' : `*a${i - 1}`)
            .join(', ')}]`,
      );
      return `${lines.join('\n')}\n---\n${object(`&s {hosts: [a], http: [*s]}`)}`;
    }
    case 4: {
      const length = 1 + r.below(40);
      const one = (i: number): string =>
        `---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: d${i}}\nspec: {${r.below(2) === 0 ? 'hosts: [a], ' : ''}http: [{match: [{uri: {prefix: /${i}}}], delegate: {name: d${(i + 1) % length}}}]}\n`;
      return Array.from({ length }, (_, i) => one(i)).join('');
    }
    case 5:
      return `${'{"apiVersion":"v1","kind":"List","items":['.repeat(Math.min(deep, 200))}${']}'.repeat(Math.min(deep, 200))}`;
    default:
      return PROTOTYPE.map((name) => `---\n${object(`{hosts: [${name}], ${name}: {${name}: [${name}]}}`)}`).join('');
  }
}

/** One bad file. */
export function badInput(r: Random): Buffer {
  const kind = r.below(20);
  if (kind === 0) return randomBytes(r);
  if (kind < 3) return Buffer.from(made(r));
  if (kind < 7) return Buffer.from(spoiledText(r));
  const text = Buffer.from(spoiledObjects(r));
  // Bytes that are no UTF-8, a text cut in two.
  if (kind === 7) text[r.below(text.length)] = 0x80 + r.below(128);
  return kind === 8 ? text.subarray(0, r.below(text.length)) : text;
}
