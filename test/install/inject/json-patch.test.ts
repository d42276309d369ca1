import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { textFile } from '../../../src/config/text-file.ts';
import { parseDocument } from '../../../src/config/yaml/parse-document.ts';
import { injectText } from '../../../src/install/inject/inject-text.ts';
import { jsonPatch, type PatchOperation } from '../../../src/install/inject/json-patch.ts';
import { injectSettings, readGoldens } from '../../support/inject.ts';

/** RFC 6902, of the operations that are made. */
function applied(before: unknown, patch: readonly PatchOperation[]): unknown {
  const root = { '': structuredClone(before) } as Record<string, unknown>;
  for (const { op, path, value } of patch) {
    const keys = ['', ...path.split('/').slice(1)].map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = keys.pop() as string;
    const at = keys.reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], root) as Record<string, unknown>;
    if (Array.isArray(at) && op === 'add') {
      if (last === '-') at.push(value);
      else at.splice(Number(last), 0, value);
    } else if (op === 'remove') delete at[last];
    else at[last] = structuredClone(value);
  }
  return root[''];
}

/** Small random values, with the characters that pointers escape. */
function randomValue(depth: number, next: () => number): unknown {
  const kind = Math.floor(next() * (depth > 0 ? 5 : 3));
  const few = Math.floor(next() * 4);
  if (kind === 0) return Math.floor(next() * 3);
  if (kind === 1) return ['a', 'b/c', ''][Math.floor(next() * 3)];
  if (kind === 2) return next() < 0.5;
  if (kind === 3) return Array.from({ length: few }, () => randomValue(depth - 1, next));
  const keys = ['a', 'b/c', 'd~e', '', 'name'];
  return Object.fromEntries(Array.from({ length: few }, () => [keys[Math.floor(next() * keys.length)], randomValue(depth - 1, next)]));
}

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

test('applying the difference gives the other value', () => {
  for (let seed = 1; seed <= 3000; seed++) {
    const next = random(seed);
    const [before, after] = [randomValue(4, next), randomValue(4, next)];
    assert.equal(applied(before, jsonPatch(before, after)), after, `seed ${seed}`);
  }
});

test('injected pods come out of their patches, and what is the same needs none', async () => {
  let count = 0;
  for (const { name, input } of readGoldens()) {
    const { text, objects } = await injectText(textFile(name, input), 'shop', injectSettings);
    if (objects.length !== 1 || !objects[0]?.injected) continue;
    const [before, after] = [input, text].map((t) => {
      const read = parseDocument(t.split('\n---\n')[0] as string);
      assert.ok(read.ok);
      return read.ok ? read.value : undefined;
    });
    assert.equal(applied(before, jsonPatch(before, after)), after, name);
    assert.equal(jsonPatch(after, after), []);
    count++;
  }
  assert.ok(count >= 3);
});

test.run();
