import type { Socket } from 'node:net';
import type { ConnectionInfo } from './connection.ts';
import type { Inspector } from './inspector.ts';
import { peek } from './peek.ts';

/** Runs listener filters one after the other over a connection's first bytes. `done` runs once; not at all when the peer leaves. */
export function runInspectors(
  socket: Socket,
  info: ConnectionInfo,
  inspectors: readonly Inspector[],
  timeoutMs: number,
  done: (outcome: 'inspected' | 'expired' | 'reject') => void,
): void {
  let next = 0;
  let consumed = 0;
  let rejected = false;
  peek(
    socket,
    (bytes) => {
      while (next < inspectors.length) {
        const inspector = inspectors[next]!;
        const rest = consumed === 0 ? bytes : bytes.subarray(consumed);
        // A filter before has taken everything that came so far.
        const found = rest.length === 0 ? 'more' : inspector.inspect(rest, info);
        if (found === 'more' && rest.length < inspector.limit) return 'more';
        if (found === 'reject') {
          rejected = true;
          return consumed;
        }
        if (found !== 'more') consumed += found;
        next++;
      }
      return consumed;
    },
    timeoutMs,
    () => done(rejected ? 'reject' : 'inspected'),
    () => done('expired'),
    () => socket.destroy(),
  );
}
