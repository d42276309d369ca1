import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadConfig } from '../../src/config/load.ts';
import type { Resource } from '../../src/config/resource.ts';
import { createDraft } from '../../src/edit/draft.ts';
import { writeChanges } from '../../src/edit/write-changes.ts';
import { FairleadError } from '../../src/errors.ts';
import { withScratch } from '../support/scratch.ts';

const two = `# The first.
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: a }
spec: { host: a } # stays
---
# The second.
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: b
spec:
  hosts: [b]
  http:
  - route:
    - destination: { host: b }
`;

async function load(path: string): Promise<Resource[]> {
  const { resources, problems } = await loadConfig([path]);
  assert.equal(problems, []);
  return [...resources];
}
const named = (resources: readonly Resource[], name: string): Resource => resources.find((r) => r.metadata.name === name)!;

test(
  'changes of several documents of a file are one change; other documents stay as they are',
  withScratch(async (_, write) => {
    const file = write('mesh/two.yaml', two);
    const resources = await load(dirname(file));
    const draft = createDraft();
    draft.set(named(resources, 'b'), ['spec', 'http', 0, 'timeout'], '2s');
    draft.set(named(resources, 'b'), ['spec', 'http', 0, 'retries', 'attempts'], 3);
    draft.set(named(resources, 'a'), ['spec', 'host'], 'c');
    draft.add(file, two, { kind: 'X', list: [1] });
    const changes = draft.changes();
    assert.is(changes.length, 1);
    assert.is(
      changes[0]?.after,
      `${two.replace('{ host: a }', '{ host: c }')}    timeout: 2s
    retries:
      attempts: 3
---
kind: X
list:
- 1
`,
    );
  }),
);

test(
  'a removed document leaves the others; the last one takes its file along',
  withScratch(async (_, write) => {
    const file = write('two.yaml', two);
    const resources = await load(file);
    const draft = createDraft();
    draft.remove(named(resources, 'a'));
    assert.is(draft.changes()[0]?.after, two.slice(two.indexOf('---')));
    draft.remove(named(resources, 'b'));
    assert.is(draft.changes()[0]?.after, undefined);
    await writeChanges(draft.changes());
    assert.equal(readdirSync(dirname(file)), []);
  }),
);

test(
  'items of a List and of JSON files are changed in place; JSON stays JSON',
  withScratch(async (_, write) => {
    const item = { apiVersion: 'networking.istio.io/v1', kind: 'DestinationRule', metadata: { name: 'a' }, spec: { host: 'a' } };
    const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [{ ...item, metadata: { name: 'z' } }, item] }, null, 2);
    const file = write('list.json', text);
    const draft = createDraft();
    draft.set(named(await load(file), 'a'), ['spec', 'subsets'], [{ name: 'v1', labels: { version: 'v1' } }]);
    const after = JSON.parse(draft.changes()[0]?.after ?? '') as { items: { spec: unknown }[] };
    assert.equal(after.items[1]?.spec, { host: 'a', subsets: [{ name: 'v1', labels: { version: 'v1' } }] });
    assert.equal(after.items[0]?.spec, { host: 'a' });
  }),
);

test(
  'writing keeps mode, symbolic links and byte order marks, and leaves no other file behind',
  withScratch(async (folder, write) => {
    const real = write('real/two.yaml', `\ufeff${two}`);
    chmodSync(real, 0o640);
    mkdirSync(join(folder, 'mesh'));
    const link = join(folder, 'mesh/two.yaml');
    symlinkSync(real, link);
    const draft = createDraft();
    draft.set(named(await load(link), 'a'), ['spec', 'host'], 'c');
    await writeChanges(draft.changes());
    assert.ok(lstatSync(link).isSymbolicLink());
    assert.is(readFileSync(real, 'utf8'), `\ufeff${two.replace('{ host: a }', '{ host: c }')}`);
    assert.is(statSync(real).mode & 0o777, 0o640);
    assert.equal(readdirSync(dirname(real)), ['two.yaml']);
  }),
);

const isError = (code: string) => (error: unknown) => error instanceof FairleadError && error.code === code;
async function rejected(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

test(
  'a file that changed meanwhile is not overwritten, and no other of the same change either',
  withScratch(async (folder, write) => {
    const first = write('a.yaml', two);
    const second = write('b.yaml', two.replaceAll('name: a', 'name: c').replaceAll('name: b', 'name: d'));
    const resources = await load(folder);
    const draft = createDraft();
    draft.set(named(resources, 'a'), ['spec', 'host'], 'changed');
    draft.set(named(resources, 'c'), ['spec', 'host'], 'changed');
    writeFileSync(second, 'kind: Other\n');
    assert.ok(isError('E_FILE_CHANGED')(await rejected(writeChanges(draft.changes()))));
    assert.is(readFileSync(first, 'utf8'), two);
    assert.is(readFileSync(second, 'utf8'), 'kind: Other\n');
    assert.equal(readdirSync(folder).sort(), ['a.yaml', 'b.yaml']);
  }),
);

test(
  'a folder that is gone is one clear error',
  withScratch(async (folder) => {
    const draft = createDraft();
    draft.add(join(folder, 'no/such.yaml'), undefined, { kind: 'X' });
    const error = await rejected(writeChanges(draft.changes()));
    assert.ok(isError('E_FILE_UNWRITABLE')(error));
    assert.match((error as Error).message, /such\.yaml cannot be written: ENOENT/);
  }),
);

test.run();
