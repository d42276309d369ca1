import { globSync, readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { documentTree, type TreeNode } from '../../src/config/yaml/document-tree.ts';
import { parseDocument } from '../../src/config/yaml/parse-document.ts';
import { splitDocuments } from '../../src/config/yaml/split-documents.ts';
import { locate, outlineAt, textAt } from '../../src/lsp/outline/document.ts';
import { type OutlineNode, outline } from '../../src/lsp/outline/outline.ts';

/** Where keys and one-line scalars stand, by path. Anchors, and texts of several lines, are the parser's alone. */
function places(node: TreeNode | OutlineNode | undefined, text: string, path = ''): string[] {
  if (node === undefined || node.type === 'alias') return [];
  if (node.type === 'scalar') {
    if (node.style === 'empty' || node.style === 'block' || /[\r\n]/.test(text.slice(node.start, node.end))) return [];
    return [`${path} = ${node.start}-${node.end} ${text.slice(node.start, node.end)}`];
  }
  if (node.type === 'list') return node.items.flatMap((item, i) => places('type' in item ? item : item.value, text, `${path}[${i}]`));
  // By what is written: the parser reads the key `no` as `false`.
  return [...node.entries.values()].flatMap(({ keyStart, keyEnd, value }) => {
    const key = `${path}.${text.slice(keyStart, keyEnd)}`;
    return [`${key} @ ${keyStart}`, ...places(value, text, key)];
  });
}

const files = globSync(['examples/**/*.{yaml,json}', 'test/**/*.{yaml,json}'], { exclude: ['**/node_modules/**'] }).sort();

test('the outline agrees with the parser on every document that the parser can read', () => {
  let documents = 0;
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    for (const { start, end } of splitDocuments(text)) {
      const own = text.slice(start, end);
      if (!parseDocument(own).ok || /^\s*\?\s|<<:/m.test(own)) continue;
      const expected = places(documentTree(own), own);
      const found = places(outline(own), own);
      // Of texts of several lines the outline has the first one.
      const known = new Set(expected.map((place) => place.replace(/ [=@].*/s, '')));
      const extra = found.filter((place) => !known.has(place.replace(/ [=@].*/s, '')));
      const missing = expected.filter((place) => !found.includes(place));
      if (missing.length > 0)
        assert.unreachable(`${file} ${start}: ${missing.slice(0, 3).join('\n')}\nfound ${extra.slice(0, 3).join('\n')}`);
      documents++;
    }
  }
  assert.ok(documents > 300, `${documents} documents`);
});

test('a document that no parser reads has an outline all the same', () => {
  const text =
    'kind: VirtualService\nspec:\n  hosts: [a, b\n  http:\n    - route:\n        - destination:\n            host: "rev\n            sub\n    tls: {a: 1\n  tcp: x\n';
  const root = outline(text);
  assert.is(textAt(root, ['kind']), 'VirtualService');
  assert.is(textAt(root, ['spec', 'hosts', 1]), 'b');
  assert.is(textAt(root, ['spec', 'http', 0, 'route', 0, 'destination', 'host']), 'rev');
  assert.is(textAt(root, ['spec', 'tcp']), 'x');
});

test('every offset of a document leads somewhere or nowhere, and the end of one is not the start of the next', () => {
  const text = "a: 1\n---\nb:\n  - c: {d: e, f: [g, h]}\n    \"q\": 'it''s'\n";
  assert.equal(locate(outlineAt(text, text.indexOf('h]'))?.root, text.indexOf('h]')), {
    path: ['b', 0, 'c', 'f', 1],
    on: 'value',
    start: text.indexOf('h]'),
    end: text.indexOf('h]') + 1,
    text: 'h',
  });
  assert.is(locate(outlineAt(text, text.indexOf("'it"))?.root, text.indexOf("'it") + 2)?.text, "it's");
  assert.is(locate(outlineAt(text, 0)?.root, 0)?.on, 'key');
});

test.run();
