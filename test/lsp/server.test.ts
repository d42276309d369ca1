import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Location, WorkspaceEdit } from 'vscode-languageserver-protocol/node';
import { withScratch } from '../support/scratch.ts';
import { CAPABILITIES, cursorIn, type Editor, startEditor } from './editor.ts';

const uriOf = (path: string): string => pathToFileURL(path).href;

const SERVICES = `apiVersion: v1
kind: Service
metadata:
  name: reviews
  namespace: shop
spec:
  ports:
    - name: http
      port: 9080
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: reviews
  namespace: shop
spec:
  host: reviews
  subsets:
    - name: v1
      labels: { version: v1 }
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: front, namespace: edge }
spec:
  selector: { istio: ingressgateway }
  servers:
    - port: { number: 80, name: http, protocol: HTTP }
      hosts: ["*"]
`;

const routes = (host: string, subset = 'v1', gateway = 'edge/front'): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
  namespace: shop
spec:
  hosts: [reviews]
  gateways:
    - ${gateway}
    - mesh
  http:
    - name: all
      route:
        - destination:
            host: ${host}
            subset: ${subset}
`;

/** Codes with the text that each is on. */
const shown = (text: string, diagnostics: readonly { code?: unknown; range: Location['range'] }[]): string[] =>
  diagnostics.map(({ code, range }) => {
    const line = text.split(/\r\n|\n|\r/)[range.start.line] ?? '';
    return `${String(code)} ${line.slice(range.start.character, range.end.line === range.start.line ? range.end.character : undefined)}`;
  });

/** One mesh in a folder, with the routes open. */
function withMesh(run: (editor: Editor, folder: string, write: (name: string, text: string) => string) => Promise<void>) {
  return withScratch(async (folder, write) => {
    write('services.yaml', SERVICES);
    write('routes.yaml', routes('reviews'));
    const editor = await startEditor([folder]);
    try {
      await run(editor, folder, write);
      assert.is(await editor.quit(), 0);
      assert.is(editor.stderr(), '');
    } finally {
      editor.child.kill();
    }
  });
}

test(
  'what is typed is told at once, with its version, and taken back',
  withMesh(async (editor, folder) => {
    const uri = uriOf(join(folder, 'routes.yaml'));
    editor.open(uri, routes('reviews'));
    await editor.diagnostics(uri, (list, { version }) => version === 1 && list.length === 0);
    const wrong = routes('nowhere').replace(/ +subset: v1\n/, '');
    editor.change(uri, wrong);
    const found = await editor.diagnostics(uri, (_, { version }) => version === 2);
    assert.equal(shown(wrong, found), ['IST0101 nowhere']);
    assert.is(found[0]!.severity, 1);
    assert.is(found[0]!.source, 'fairlead');
    assert.match(found[0]!.codeDescription!.href, /istio.io.*ist0101/);
    editor.change(uri, routes('reviews', 'v9'));
    const subset = await editor.diagnostics(uri, (list, { version }) => version === 3 && list.length > 0);
    assert.equal(shown(routes('reviews', 'v9'), subset), ['IST0101 v9']);
    editor.change(uri, routes('reviews'));
    await editor.diagnostics(uri, (list, { version }) => version === 4 && list.length === 0);
    editor.change(uri, `${routes('reviews')}    tiemout: [\n`);
    const broken = await editor.diagnostics(uri, (_, { version }) => version === 5);
    assert.ok(broken.every(({ code }) => code === 'FL0001') && broken.length > 0);
  }),
);

test(
  'files on disk have diagnostics too; a buffer goes before its file, and closing it brings the file back',
  withMesh(async (editor, folder, write) => {
    const other = uriOf(write('other.yaml', routes('gone').replaceAll('name: reviews', 'name: other')));
    await editor.connection.sendNotification('workspace/didChangeWatchedFiles', { changes: [{ uri: other, type: 1 }] });
    await editor.diagnostics(other, (list) => list.some(({ code }) => code === 'IST0101'));
    editor.open(other, '# empty\n');
    await editor.diagnostics(other, (list) => list.length === 0);
    editor.close(other);
    await editor.diagnostics(other, (list) => list.length > 0);
    const moved = join(folder, 'moved.yaml');
    renameSync(join(folder, 'other.yaml'), moved);
    const changes = [
      { uri: other, type: 3 },
      { uri: uriOf(moved), type: 1 },
    ];
    await editor.connection.sendNotification('workspace/didChangeWatchedFiles', { changes });
    await editor.diagnostics(other, (list) => list.length === 0);
    await editor.diagnostics(uriOf(moved), (list) => list.length > 0);
    rmSync(moved);
    await editor.connection.sendNotification('workspace/didDeleteFiles', { files: [{ uri: uriOf(moved) }] });
    await editor.diagnostics(uriOf(moved), (list) => list.length === 0);
    assert.ok(editor.registered.includes('workspace/didChangeWatchedFiles'));
  }),
);

test(
  'definitions and references of hosts, subsets, gateways and delegates',
  withMesh(async (editor, folder) => {
    const uri = uriOf(join(folder, 'routes.yaml'));
    const services = uriOf(join(folder, 'services.yaml'));
    editor.open(uri, routes('reviews'));
    const go = async (marked: string): Promise<string[]> => {
      const { text, position } = cursorIn(marked);
      editor.change(uri, text);
      const found = await editor.connection.sendRequest<Location[]>('textDocument/definition', { textDocument: { uri }, position });
      return found.map((place) => `${place.uri.split('/').at(-1)}:${place.range.start.line + 1}:${place.range.start.character + 1}`);
    };
    assert.equal(await go(routes('rev|iews')), ['services.yaml:4:9']);
    assert.equal(await go(routes('reviews.shop.svc.cluster.|local')), ['services.yaml:4:9']);
    assert.equal(await go(routes('reviews', 'v|1')), ['services.yaml:19:13']);
    assert.equal(await go(routes('reviews', 'v1', 'edge/fr|ont')), ['services.yaml:24:19']);
    assert.equal(await go(routes('reviews', 'v1', 'me|sh')), []);
    assert.equal(await go(routes('revi|ews\n          broken: [')), ['services.yaml:4:9']);
    const delegate = routes('reviews').replace('      route:', '      delegate: { name: revi|ews }\n      route:');
    assert.equal(await go(delegate), ['routes.yaml:4:9']);
    editor.change(uri, routes('reviews'));
    const at = { textDocument: { uri: services }, position: { line: 3, character: 10 }, context: { includeDeclaration: true } };
    editor.open(services, SERVICES);
    const references = await editor.connection.sendRequest<Location[]>('textDocument/references', at);
    assert.equal(references.map((place) => `${place.uri.split('/').at(-1)}:${place.range.start.line + 1}`).sort(), [
      'routes.yaml:15',
      'routes.yaml:7',
      'services.yaml:17',
      'services.yaml:4',
    ]);
  }),
);

test(
  'hover tells of fields and of what names stand for',
  withMesh(async (editor, folder) => {
    const uri = uriOf(join(folder, 'routes.yaml'));
    editor.open(uri, routes('reviews'));
    const over = async (marked: string): Promise<string> => {
      const { text, position } = cursorIn(marked);
      editor.change(uri, text);
      type Answer = { contents: { value: string } } | null;
      const found = await editor.connection.sendRequest<Answer>('textDocument/hover', { textDocument: { uri }, position });
      return found?.contents.value ?? '';
    };
    assert.match(await over(routes('reviews').replace('route:', 'ro|ute:')), /\*\*route\*\* — list of objects\n\nServices that requests/);
    assert.match(await over(routes('rev|iews')), /Service shop\/reviews[\s\S]*ports 9080 http[\s\S]*\*\*host\*\* — string, required/);
    assert.match(await over(routes('reviews', 'v|1')), /subset of reviews[\s\S]*version=v1/);
    const old = routes('reviews').replace('    - name: all', '    - name: all\n      mirror|Percent: 5');
    assert.match(await over(old), /_Deprecated._/);
    assert.match(await over(routes('reviews').replace('VirtualService', 'Virtual|Service')), /VirtualService/);
    assert.match(await over(`${routes('reviews')}      tim|eout: [`), /Default: no limit/);
  }),
);

test(
  'code actions hide a finding with a comment, or write what was meant',
  withMesh(async (editor, folder) => {
    const uri = uriOf(join(folder, 'routes.yaml'));
    const wrong = routes('nowhere')
      .replace(/ +subset: v1\n/, '')
      .replace('      route:', '      tiemout: 3s\n      route:');
    editor.open(uri, wrong);
    const found = await editor.diagnostics(uri, (list) => list.length === 2);
    const ask = async (code: string) => {
      const diagnostics = found.filter((diagnostic) => diagnostic.code === code);
      const range = diagnostics[0]!.range;
      const params = { textDocument: { uri }, range, context: { diagnostics } };
      return editor.connection.sendRequest<{ title: string; edit: WorkspaceEdit }[]>('textDocument/codeAction', params);
    };
    const host = await ask('IST0101');
    assert.equal(
      host.map(({ title }) => title),
      ['Ignore IST0101 here'],
    );
    assert.is(host[0]!.edit.changes![uri]![0]!.newText, '            # fairlead:ignore IST0101\n');
    const field = await ask('FL0002');
    assert.is(field[0]!.title, 'Change to timeout');
    const [edit] = field[0]!.edit.changes![uri]!;
    assert.is(edit!.newText, 'timeout');
    const lines = wrong.split('\n');
    lines[edit!.range.start.line] = '      timeout: 3s';
    const at = host[0]!.edit.changes![uri]![0]!.range.start.line;
    lines.splice(at, 0, '            # fairlead:ignore IST0101');
    editor.change(uri, lines.join('\n'));
    await editor.diagnostics(uri, (list, { version }) => version === 2 && list.length === 0);
  }),
);

test(
  'symbols of a document and of the workspace',
  withMesh(async (editor, folder) => {
    const uri = uriOf(join(folder, 'routes.yaml'));
    editor.open(uri, routes('reviews'));
    const symbols = await editor.connection.sendRequest<{ name: string; children: { name: string }[] }[]>('textDocument/documentSymbol', {
      textDocument: { uri },
    });
    assert.equal(
      symbols.map(({ name, children }) => [name, children.map((child) => child.name)]),
      [['VirtualService shop/reviews', ['http all']]],
    );
    const found = await editor.connection.sendRequest<{ name: string }[]>('workspace/symbol', { query: 'gwz' });
    assert.equal(
      found.map(({ name }) => name),
      [],
    );
    const gateways = await editor.connection.sendRequest<{ name: string }[]>('workspace/symbol', { query: 'gate front' });
    assert.equal(
      gateways.map(({ name }) => name),
      ['Gateway edge/front'],
    );
  }),
);

test(
  'columns are UTF-16 units, and lines may end in any way',
  withMesh(async (editor, folder) => {
    const uri = uriOf(join(folder, 'routes.yaml'));
    const text = routes('reviews')
      .replace('      route:', '      match: [{ uri: { exact: "/😀😀" }, nmae: x }]\n      route:')
      .replaceAll('\n', '\r\n');
    editor.open(uri, text);
    const [found] = await editor.diagnostics(uri, (list) => list.length > 0);
    assert.equal(shown(text, [found!]), ['FL0002 nmae']);
    assert.is(found!.range.start.character, '      match: [{ uri: { exact: "/😀😀" }, '.length);
    editor.change(uri, text.replaceAll('\r\n', '\r'));
    const [again] = await editor.diagnostics(uri, (_, { version }) => version === 2);
    assert.equal(again!.range, found!.range);
  }),
);

test(
  'other people’s files, templates and a workspace without a mesh are left in peace',
  withScratch(async (folder, write) => {
    write('chart/templates/vs.yaml', `{{- if .Values.on }}\n${routes('{{ .Values.host }}')}{{- end }}\n`);
    write('chart/values.yaml', 'a: [\n');
    write('compose.yaml', 'services:\n\tbroken: yes\n');
    write('deploy.yaml', 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {spec: {containers: 3}}}\n');
    write('package.json', '{"a": ');
    write('node_modules/x/vs.yaml', routes('nowhere'));
    writeFileSync(join(folder, 'latin.yaml'), Buffer.from([...Buffer.from(routes('x')), 0xe9, 0xff]));
    const editor = await startEditor([folder]);
    try {
      // An answer comes after the first look at the files; what follows is a real finding.
      assert.equal(await editor.connection.sendRequest('workspace/symbol', { query: '' }), []);
      const helm = uriOf(join(folder, 'chart/templates/vs.yaml'));
      editor.open(helm, readFileSync(join(folder, 'chart/templates/vs.yaml'), 'utf8'));
      editor.open(uriOf(join(folder, 'compose.yaml')), 'services:\n\tbroken: yes\n');
      await editor.diagnostics(helm, () => true);
      const uri = uriOf(join(folder, 'mine.yaml'));
      editor.open(uri, `${SERVICES}---\n${routes('reviews', 'v9')}`);
      await editor.diagnostics(uri, () => true);
      const noisy = editor.published.filter((params) => params.uri !== uri && params.diagnostics.length > 0);
      // With an object of Istio's among them the Deployment is part of a mesh; the last is a VirtualService that is no UTF-8.
      assert.equal([...new Set(noisy.map((params) => params.uri.split('/').at(-1)))].sort(), ['deploy.yaml', 'latin.yaml']);
      assert.is(await editor.quit(), 0);
      assert.is(editor.stderr(), '');
    } finally {
      editor.child.kill();
    }
  }),
);

test(
  'a file outside of every folder is a configuration of its own',
  withScratch(async (folder, write) => {
    const uri = uriOf(write('lone.yaml', ''));
    const editor = await startEditor([join(folder, 'elsewhere')]);
    try {
      editor.open(uri, routes('reviews').replace('http:', 'htpp:'));
      await editor.diagnostics(uri, (list) => list.some(({ code }) => code === 'FL0002'));
      editor.open('untitled:Untitled-1', routes('reviews').replace('http:', 'htpp:'));
      await editor.diagnostics('untitled:Untitled-1', (list) => list.some(({ code }) => code === 'FL0002'));
      editor.close(uri);
      await editor.diagnostics(uri, (list) => list.length === 0);
      editor.open('git:/a/b.yaml?x', routes('nowhere'));
      assert.is(
        await editor.connection.sendRequest('textDocument/hover', {
          textDocument: { uri: 'git:/a/b.yaml?x' },
          position: { line: 99, character: 0 },
        }),
        null,
      );
      assert.is(await editor.quit(), 0);
    } finally {
      editor.child.kill();
    }
  }),
);

test(
  'settings: several meshes in one folder, and what is wrong with a setting',
  withScratch(async (folder, write) => {
    for (const env of ['dev', 'prod']) {
      write(`${env}/services.yaml`, SERVICES);
      write(`${env}/routes.yaml`, routes('reviews'));
    }
    const together = await startEditor([folder]);
    try {
      const prod = uriOf(join(folder, 'prod/routes.yaml'));
      const [twice] = await together.diagnostics(prod, (list) => list.length > 0);
      assert.is(twice!.code, 'FL0004');
      assert.is(twice!.severity, 3);
      assert.match(String(twice!.message), /fairlead.meshes/);
      together.connection.onRequest('workspace/configuration', () => [{ meshes: ['dev', 'prod'] }]);
      await together.connection.sendNotification('workspace/didChangeConfiguration', {
        settings: { fairlead: { meshes: ['dev', 'prod'] } },
      });
      await together.diagnostics(prod, (list) => list.length === 0);
    } finally {
      together.child.kill();
    }
  }),
);

test(
  'an editor that tells of no changed files has them looked at when one is saved',
  withScratch(async (folder, write) => {
    const services = write('services.yaml', SERVICES);
    const uri = uriOf(write('routes.yaml', routes('reviews')));
    const { workspace: _, ...capabilities } = CAPABILITIES;
    const editor = await startEditor([folder], { capabilities });
    try {
      editor.open(uri, routes('reviews'));
      await editor.diagnostics(uri, (list) => list.length === 0);
      writeFileSync(services, SERVICES.replace('name: v1', 'name: v7'));
      await editor.connection.sendNotification('textDocument/didSave', { textDocument: { uri } });
      await editor.diagnostics(uri, (list) => list.some(({ code }) => code === 'IST0101'));
      assert.equal(editor.registered, []);
    } finally {
      editor.child.kill();
    }
  }),
);

test(
  'it ends by the protocol: 0 after shutdown, 1 without, and with its editor',
  withScratch(async (folder) => {
    const rude = await startEditor([folder]);
    await rude.connection.sendNotification('exit');
    assert.is(await rude.ended, 1);
    const gone = await startEditor([folder]);
    gone.child.stdin!.end();
    assert.is(await gone.ended, 1);
    const polite = await startEditor([folder]);
    await polite.connection.sendRequest('shutdown');
    polite.child.stdin!.end();
    assert.is(await polite.ended, 0);
  }),
);

test.run();
