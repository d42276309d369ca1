import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Diagnostic } from 'vscode-languageserver';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { analyze } from '../../src/analysis/analyze.ts';
import { messageByCode } from '../../src/analysis/catalogue/catalogue.ts';
import { parseFiles } from '../../src/config/parse-config.ts';
import { textFile } from '../../src/config/text-file.ts';
import { codeActions } from '../../src/lsp/features/code-actions.ts';
import { DEPRECATED, diagnosticsOf, UNNECESSARY } from '../../src/lsp/features/diagnostics.ts';
import { fixEdits } from '../../src/lsp/features/finding-fix.ts';
import { meshIndex } from '../../src/lsp/names/mesh-index.ts';
import type { View } from '../../src/lsp/view.ts';

const URI = 'file:///mesh.yaml';

async function read(text: string) {
  const file = textFile('mesh.yaml', text);
  const loaded = await parseFiles([file]);
  const view: View = { index: meshIndex(loaded.resources), textOf: () => file, uriOf: () => URI };
  const { findings } = await analyze({ ...loaded, texts: [file] });
  const diagnostics = diagnosticsOf(findings, view, () => undefined).get('mesh.yaml') ?? [];
  return { loaded, view, diagnostics, document: TextDocument.create(URI, 'yaml', 1, text) };
}

/** The text after the action with this title is taken. */
async function take(text: string, title: string, of?: (diagnostic: Diagnostic) => boolean): Promise<string> {
  const { diagnostics, document } = await read(text);
  const actions = await codeActions(document, of === undefined ? diagnostics : diagnostics.filter(of), async () => undefined);
  const action = actions.find((candidate) => candidate.title === title);
  assert.ok(action, `${title} is not among ${actions.map((candidate) => candidate.title).join(', ')}\n${text}`);
  return TextDocument.applyEdits(document, action.edit!.changes![URI]!);
}

const HEAD = 'apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata:\n  name: x\n';
const SERVICE = '---\napiVersion: v1\nkind: Service\nmetadata: { name: there }\nspec: { ports: [{ name: http, port: 80 }] }\n';

/** Codes of what is found after the actions that hide all of it are taken, one by one. */
async function hideAll(text: string): Promise<string[]> {
  let now = text;
  for (let i = 0; i < 10; i++) {
    const { diagnostics } = await read(now);
    if (diagnostics.length === 0) return [];
    now = await take(now, `Ignore ${diagnostics[0]!.code} here`);
    if (i === 9) return (await read(now)).diagnostics.map(({ code }) => String(code));
  }
  return [];
}

test('a comment hides a finding wherever it is: in blocks, in brackets over several lines, in texts of several lines', async () => {
  for (const spec of [
    'spec:\n  hosts: [a]\n  http:\n    - route:\n        - destination:\n            host: gone\n',
    'spec:\n  hosts: [a]\n  http: [\n    { route: [\n      { destination: { host: gone } }\n    ] }\n    ]\n',
    'spec:\n  hosts: [a]\n  http: [{route: [{destination: {host: gone}}]}]\n',
    'spec:\n  hosts: [a]\n  http:\n    - tiemout: 3s\n      nmae: x\n      route:\n        - destination:\n            host: "gone"\n',
  ]) {
    const text = `${HEAD}${spec}${SERVICE}`;
    assert.ok((await read(text)).diagnostics.length > 0, spec);
    assert.equal(await hideAll(text), [], spec);
    assert.equal(await hideAll(text.replaceAll('\n', '\r\n')), [], `${spec} with CR LF`);
  }
});

test('a second code goes into the comment that is there', async () => {
  const text = `${HEAD}spec:\n  hosts: [a]\n  http:\n    # fairlead:ignore IST0101 for now\n    - tiemout: 3s\n      route: [{ destination: { host: there } }]\n${SERVICE}`;
  const after = await take(text, 'Ignore FL0002 here');
  assert.match(after, /# fairlead:ignore IST0101, FL0002 for now\n/);
});

test('what was meant takes the place of what is written, quotes and all', async () => {
  const text = `${HEAD}spec:\n  hosts: [a]\n  http:\n    - "tiemout": 3s\n      route: [{ destination: { host: there } }]\n${SERVICE}`;
  assert.is(await take(text, 'Change to "timeout"'), text.replace('tiemout', 'timeout'));
});

test('what the analysis knows to do is one small edit that keeps characters and line breaks whole', async () => {
  const text =
    `${HEAD}spec:\n  hosts: ["😀"] # why\n  http:\n    - name: "😀"\n      route: [{ destination: { host: there } }]\n`.replaceAll(
      '\n',
      '\r\n',
    );
  const { loaded, view, document } = await read(text);
  const [resource] = loaded.resources;
  const edit = (path: (string | number)[], value: unknown): string => {
    const changes = fixEdits({ title: '', edits: [{ resource: resource!, path, value }] }, view);
    const [only] = changes![URI]!;
    assert.ok(only!.newText.length < 40, only!.newText);
    return TextDocument.applyEdits(document, [only!]);
  };
  assert.is(edit(['spec', 'http', 0, 'name'], '😁'), text.replace('name: "😀"', 'name: "😁"'));
  assert.is(edit(['spec', 'hosts', 0], 'b'), text.replace('["😀"]', '[b]'));
  assert.is(edit(['spec', 'http', 0, 'name'], undefined).includes('name: "'), false);
});

test('no fix for a text that has changed since', async () => {
  const { loaded, view } = await read(`${HEAD}spec: { hosts: [a] }\n`);
  const other: View = { ...view, textOf: () => textFile('mesh.yaml', 'other') };
  const edits = [{ resource: loaded.resources[0]!, path: ['metadata', 'name'], value: 'b' }];
  assert.is(fixEdits({ title: '', edits }, other), undefined);
});

test('codes that are faded or struck through are codes', () => {
  for (const code of [...UNNECESSARY, ...DEPRECATED]) assert.ok(messageByCode(code), code);
});

test('deprecated fields are struck through, routes that nothing reaches are faded', async () => {
  const route = 'route: [{ destination: { host: there, port: { number: 80 } } }]';
  const text = `${HEAD}spec:\n  hosts: [there]\n  http:\n    - ${route}\n      mirrorPercent: 5\n    - match: [{ uri: { prefix: /x } }]\n      ${route}\n${SERVICE}`;
  const { diagnostics } = await read(text);
  const tagged = (tag: number): string[] =>
    diagnostics.filter(({ tags }) => tags?.includes(tag as 1)).map(({ message }) => String(message));
  assert.ok(
    tagged(2).some((message) => message.includes('mirrorPercent')),
    JSON.stringify(diagnostics),
  );
  assert.ok(tagged(1).length > 0, JSON.stringify(diagnostics));
});

test.run();
