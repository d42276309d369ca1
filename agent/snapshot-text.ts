import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import type { Snapshot } from '../src/envoy/snapshot.ts';

/** Members of one piece: some milliseconds' worth at most. */
const BATCH = 100;

/** JSON of a value, in pieces: members of long lists come one batch at a time, so that whoever writes them can do other things in between. */
export function* jsonPieces(value: unknown): Generator<string> {
  if (Array.isArray(value)) yield* listPieces(value);
  else if (isRoutes(value)) yield* objectPieces(value);
  else yield JSON.stringify(value);
}

/** A large mesh is in a few route configurations. */
function isRoutes(value: unknown): value is RouteConfigurationJson {
  return typeof value === 'object' && value !== null && Array.isArray((value as RouteConfigurationJson).virtualHosts);
}

function* listPieces(list: readonly unknown[]): Generator<string> {
  yield '[';
  for (let i = 0; i < list.length; ) {
    if (i > 0) yield ',';
    if (isRoutes(list[i])) yield* jsonPieces(list[i++]);
    else {
      const batch = list.slice(i, i + BATCH);
      const end = batch.findIndex(isRoutes);
      const some = end === -1 ? batch : batch.slice(0, end);
      yield JSON.stringify(some).slice(1, -1);
      i += some.length;
    }
  }
  yield ']';
}

/** JSON of an object, in pieces. */
export function* objectPieces(object: object): Generator<string> {
  let first = true;
  for (const [key, value] of Object.entries(object)) {
    if (value === undefined) continue;
    yield `${first ? '{' : ','}${JSON.stringify(key)}:`;
    first = false;
    yield* jsonPieces(value);
  }
  yield first ? '{}' : '}';
}

/** JSON of an object with snapshots. */
export function* snapshotsText(version: string, snapshots: readonly Snapshot[]): Generator<string> {
  yield `{"version":${JSON.stringify(version)},"snapshots":[`;
  for (const [i, snapshot] of snapshots.entries()) {
    if (i > 0) yield ',';
    yield* objectPieces(snapshot);
  }
  yield ']}';
}
