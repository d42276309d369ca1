import { pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { serviceYaml } from '../../bench/service-yaml.ts';
import { withScratch } from '../support/scratch.ts';
import { startEditor } from './editor.ts';

/** mulberry32: the same numbers every time. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const PIECES = [
  ...[
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    ':',
    ': ',
    '- ',
    '\n',
    '\r\n',
    '\r',
    '\t',
    '  ',
    '#',
    '|',
    '>',
    '&a',
    '*a',
    '<<: *a',
    '!x',
    '---\n',
    '...\n',
  ],
  ...[
    '😀',
    '\u0000',
    '\u2028',
    '\uFEFF',
    '{{ .x }}',
    '__proto__: ',
    'constructor:',
    'apiVersion: v1\n',
    'kind: List\n',
    'items:\n',
    '%YAML 9\n',
  ],
  ...['spec:', 'host: reviews', 'subset: v1', 'null', '~', '0777', '1e999', '-', '?', '? ', '@', '`'],
];

test(
  'no edit and no question ends it, or is answered with an error',
  withScratch(async (folder, write) => {
    const start = [0, 1, 2].map((i) => serviceYaml(i)).join('');
    const uri = pathToFileURL(write('mesh.yaml', start)).href;
    const editor = await startEditor([folder]);
    try {
      editor.open(uri, start);
      const next = random(Number(process.env['FUZZ_SEED'] ?? 7));
      const below = (n: number): number => Math.floor(next() * n);
      let text = start;
      let version = 1;
      const until = Date.now() + Number(process.env['FUZZ_SECONDS'] ?? 4) * 1000;
      let asked = 0;
      while (Date.now() < until || asked < 100) {
        for (let i = 0; i < 5; i++) {
          const at = below(text.length + 1);
          const length = below(4) === 0 ? below(60) : 0;
          const piece = PIECES[below(PIECES.length)]!;
          text = text.slice(0, at) + piece + text.slice(at + length);
        }
        if (below(20) === 0) text = start;
        editor.change(uri, text);
        version++;
        const position = { line: below(text.split('\n').length + 3), character: below(50) };
        const params = { textDocument: { uri }, position };
        const ask = (method: string, more: object = {}): Promise<unknown> => editor.connection.sendRequest(method, { ...params, ...more });
        const diagnostics = editor.published.at(-1)?.diagnostics ?? [];
        await Promise.all([
          ask('textDocument/hover'),
          ask('textDocument/completion'),
          ask('textDocument/definition'),
          ask('textDocument/references', { context: { includeDeclaration: true } }),
          ask('textDocument/documentSymbol'),
          ask('textDocument/codeAction', { range: { start: position, end: position }, context: { diagnostics } }),
        ]);
        asked++;
      }
      editor.change(
        uri,
        `${start}---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: last}\nspec: {htpp: []}\n`,
      );
      await editor.diagnostics(uri, (list, params) => params.version === version + 1 && list.some(({ code }) => code === 'FL0002'));
      assert.is(await editor.quit(), 0);
      assert.is(editor.stderr(), '');
    } finally {
      editor.child.kill();
    }
  }),
);

test(
  'a question that is taken back is not answered, and what is asked next is',
  withScratch(async (folder, write) => {
    const text = Array.from({ length: 200 }, (_, i) => serviceYaml(i)).join('');
    const uri = pathToFileURL(write('mesh.yaml', text)).href;
    const editor = await startEditor([folder]);
    try {
      editor.open(uri, text);
      const { CancellationTokenSource } = await import('vscode-languageserver-protocol/node');
      const source = new CancellationTokenSource();
      const params = { textDocument: { uri }, position: { line: 60, character: 4 } };
      const taken = editor.connection.sendRequest('textDocument/hover', params, source.token).then(
        () => 'answered',
        (error: { code?: number }) => error.code,
      );
      source.cancel();
      assert.is(await taken, -32800);
      assert.ok(await editor.connection.sendRequest('textDocument/documentSymbol', { textDocument: { uri } }));
      assert.is(await editor.quit(), 0);
    } finally {
      editor.child.kill();
    }
  }),
);

test.run();
