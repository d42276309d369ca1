import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { jsonPieces, snapshotsText } from '../../agent/snapshot-text.ts';
import type { Snapshot } from '../../src/envoy/snapshot.ts';

const routes = (name: string, hosts: number) => ({
  name,
  virtualHosts: Array.from({ length: hosts }, (_, i) => ({ name: `h${i}`, domains: ['"quoted"'], routes: [] })),
  ignorePortInHostMatching: true,
});
const values: unknown[] = [
  [],
  {},
  null,
  'text',
  { virtualHosts: [] },
  [routes('a', 0)],
  [routes('a', 250), routes('b', 1)],
  Array.from({ length: 1000 }, (_, i) => ({ i, nothing: undefined })),
  [1, routes('a', 3), 2, 3, routes('b', 101)],
];

for (const [i, value] of values.entries()) {
  test(`the pieces of value ${i} are its JSON`, () => assert.is([...jsonPieces(value)].join(''), JSON.stringify(value)));
}

test('snapshots are written whole, in pieces that are small', () => {
  const snapshot = { version: 'v', routes: [routes('a', 5000)], clusters: [], problems: [] } as unknown as Snapshot;
  const pieces = [...snapshotsText('1.0', [snapshot, snapshot])];
  assert.equal(JSON.parse(pieces.join('')), JSON.parse(JSON.stringify({ version: '1.0', snapshots: [snapshot, snapshot] })));
  assert.ok(Math.max(...pieces.map((p) => p.length)) < 20_000);
});

test.run();
