import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseDocument } from '../../src/config/yaml/parse-document.ts';
import { editDocument } from '../../src/edit/edit-document.ts';
import { isEqual, isMapValue } from '../../src/edit/equal.ts';
import { random } from '../config/random.ts';
import { mutate, randomScalar, randomValue, writeYaml } from './random-yaml.ts';

const edited = (text: string, after: unknown): string => {
  const outcome = editDocument(text, after);
  if (!outcome.ok) throw new Error(outcome.reason);
  return outcome.text;
};
const read = (text: string): unknown => {
  const outcome = parseDocument(text);
  if (!outcome.ok) throw new Error(`${outcome.failure.reason}:\n${text}`);
  return outcome.value;
};
const linesOf = (text: string): string[] => text.split('\n');

/** Whether all of `lines` are among `all`, in their order. */
function isSubsequence(lines: readonly string[], all: readonly string[]): boolean {
  let at = 0;
  for (const line of all) if (line === lines[at]) at++;
  return at === lines.length;
}

test('any change gives just the value asked for', () => {
  let done = 0;
  for (let seed = 1; seed <= 3000; seed++) {
    const r = random(seed);
    const text = writeYaml(r, { a: randomValue(r), b: randomValue(r) });
    const value = read(text);
    const after = mutate(r, value);
    if (!isMapValue(after) || Object.keys(after).length === 0) continue;
    const outcome = editDocument(text, after);
    assert.ok(outcome.ok, `seed ${seed}: ${outcome.ok ? '' : outcome.reason}\n${text}\n${JSON.stringify(after)}`);
    if (outcome.ok) assert.ok(isEqual(read(outcome.text), after), `seed ${seed}`);
    done++;
  }
  assert.ok(done > 2000, `${done} documents`);
});

test('one scalar changes one line, and nothing else on it', () => {
  for (let seed = 1; seed <= 1500; seed++) {
    const r = random(seed);
    const text = writeYaml(r, { a: randomValue(r), target: 17, z: randomValue(r) });
    const after = { ...(read(text) as object), target: 18 };
    const result = edited(text, after);
    const changed = linesOf(text).flatMap((line, i) => (linesOf(result)[i] === line ? [] : [[line, linesOf(result)[i]]]));
    assert.is(changed.length, 1, `seed ${seed}\n${text}\n=>\n${result}`);
    assert.is(changed[0]?.[0]?.replace('17', '18'), changed[0]?.[1]);
  }
});

test('what is added leaves every line as it was', () => {
  for (let seed = 1; seed <= 1500; seed++) {
    const r = random(seed);
    const list = [randomScalar(r), { name: 'x', value: randomValue(r) }, randomValue(r)];
    const text = writeYaml(r, { a: { b: list, c: randomValue(r) }, z: randomValue(r) });
    const value = read(text) as { a: { b: unknown[]; c: unknown }; z: unknown };
    const item = { name: 'new', match: [{ uri: { prefix: '/new' } }] };
    const b = [...value.a.b];
    b.splice(r.below(4), 0, item);
    const result = edited(text, { ...value, a: { ...value.a, b, d: 'new' } });
    // Flow collections are one line: that line grows.
    const lines = linesOf(text).filter((line) => !/[[{]/.test(line));
    assert.ok(isSubsequence(lines, linesOf(result)), `seed ${seed}\n${text}\n=>\n${result}`);
    const comments = text.match(/# c\d+/g) ?? [];
    assert.equal(result.match(/# c\d+/g) ?? [], comments, `seed ${seed}`);
  }
});

const service = `# Two versions.
spec:
  hosts: [catalog]   # one
  http:
  # testers first
  - name: testers
    match:
    - headers:
        x-tester: { exact: "yes" }

    route:
    - destination: { host: catalog, subset: v2 }
  # everybody else
  - name: split
    route:
    - destination: { host: catalog, subset: v1 }
      weight: 90 # nearly all
    - destination: { host: catalog, subset: v2 }
      weight: 10
`;
interface Shape {
  spec: { hosts: string[]; http: Record<string, unknown>[] };
}
const parsed = (): Shape => read(service) as Shape;

test('a removed item takes the comment above it, its neighbours keep theirs', () => {
  const value = parsed();
  value.spec.http.splice(1, 1);
  assert.is(edited(service, value), `${service.split('  # everybody')[0]}`);
});

test('the comment above the first item stays: it may speak of all', () => {
  const value = parsed();
  value.spec.http.splice(0, 1);
  assert.is(edited(service, value), service.replace(/ {2}- name: testers[\s\S]*?(?= {2}# everybody)/, ''));
});

test('new keys stand behind the key that they follow, in the style around them', () => {
  const value = parsed();
  value.spec.http[1] = { ...value.spec.http[1], timeout: '2s', retries: { attempts: 3, retryOn: '5xx,reset' } };
  value.spec.hosts.push('catalog.example.com');
  assert.is(
    edited(service, value),
    `${service.replace('[catalog]', '[catalog, catalog.example.com]')}    timeout: 2s
    retries:
      attempts: 3
      retryOn: 5xx,reset
`,
  );
});

test('strings that YAML 1.1 would read as something else are quoted', () => {
  assert.is(edited('a: x\nb: "q"\n', { a: 'yes', b: 'on', c: '0777' }), 'a: "yes"\nb: "on"\nc: "0777"\n');
});

test('line breaks of Windows stay', () => {
  assert.is(edited('a: 1 # one\r\nb:\r\n  c: 2\r\n', { a: 3, b: { c: 2, d: 4 } }), 'a: 3 # one\r\nb:\r\n  c: 2\r\n  d: 4\r\n');
});

test('a file without a line break at its end can grow', () => {
  assert.is(edited('a:\n- 1', { a: [1, 2], b: null }), 'a:\n- 1\n- 2\nb: null');
});

test('an anchor whose alias would change too is refused with a reason', () => {
  const outcome = editDocument('a: &x { b: 1 }\nc: *x\n', { a: { b: 2 }, c: { b: 1 } });
  assert.is(outcome.ok, false);
  assert.match(outcome.ok ? '' : outcome.reason, /anchors/);
});

test('the other places of an alias can change', () => {
  assert.is(edited('a: &x { b: 1 }\nc: *x\nd: 1\n', { a: { b: 1 }, c: { b: 1 }, d: 2 }), 'a: &x { b: 1 }\nc: *x\nd: 2\n');
});

test.run();
