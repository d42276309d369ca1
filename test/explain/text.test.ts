/** How explanations are drawn: within the width, positions whole, names that cannot steer the terminal. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { draw } from '../../src/explain/draw.ts';
import type { Explanation } from '../../src/explain/types.ts';
import { explanationDot, explanationMermaid } from '../../src/output/explain/graph.ts';
import { explanationText } from '../../src/output/explain/text.ts';
import { get, viewOf } from './view.ts';

const shop = ['examples/shop/mesh'];
const asked = ['catalog', 'orders', 'stock', 'delivery', 'ratings', 'catalogg'];

async function all(): Promise<[string, Explanation][]> {
  const view = await viewOf(shop, 'client');
  return asked.map((host) => [`GET http://${host}/`, get(view, `http://${host}/`)]);
}

test('no line is longer than the terminal is wide, unless a single word is', async () => {
  for (const [what, told] of await all()) {
    for (const width of [72, 80, 120, 200]) {
      const text = explanationText(told, { color: false, width }, what, draw(told, 100, 1));
      for (const line of text.split('\n')) assert.ok(line.length <= width, `${line.length} > ${width}: ${line}`);
    }
  }
});

test('positions stand whole at every width, for editors and terminals to click on', async () => {
  for (const [what, told] of await all()) {
    for (const width of [60, 200]) {
      const text = explanationText(told, { color: false, width }, what);
      for (const { destination, routeOrigin } of told.outcomes) {
        for (const origin of [destination?.origin, routeOrigin])
          if (origin?.file !== undefined) assert.ok(text.includes(`${origin.file}:${origin.line}:${origin.column}`), text);
      }
    }
  }
});

test('colours are only added: the text is the same', async () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what colours are
  const plain = (text: string): string => text.replace(/\u001b\[\d+m/g, '');
  for (const [what, told] of await all()) {
    const colored = explanationText(told, { color: true, width: 100 }, what);
    assert.ok(colored.includes('\u001b['));
    assert.is(plain(colored), explanationText(told, { color: false, width: 100 }, what));
  }
});

test('names that steer terminals or break pictures do neither', async () => {
  const [[, told] = []] = await all();
  assert.ok(told);
  const evil = 'a"b\\c\u001b[31m|}<br/>\nx';
  const bad: Explanation = { ...told, steps: told.steps.map((s) => ({ ...s, resource: evil, decision: evil })) };
  const text = explanationText(bad, { color: false, width: 100 }, evil);
  assert.not.ok(text.includes('\u001b'));
  const dot = explanationDot(bad, evil);
  for (const line of dot.split('\n').filter((l) => l.includes('label='))) assert.match(line, /label="(?:[^"\\]|\\.)*"\];$/);
  for (const line of explanationMermaid(bad, evil).split('\n')) assert.ok((line.match(/"/g) ?? []).length <= 2, line);
});

test.run();
