import type { Socket } from 'node:net';

/** `more` waits for further bytes, at most `timeoutMs`; anything else ends the look: a number of bytes is taken away first. */
export type Look = (bytes: Buffer) => 'more' | number;

/**
 * Looks at the first bytes of a connection. They are put back, less those taken away, and `done` runs on the same turn; the socket
 * is then as one that nobody has read from. `ended` runs when the peer leaves before, `expired` when it takes too long (0: no limit).
 */
export function peek(socket: Socket, look: Look, timeoutMs: number, done: () => void, expired: () => void, ended: () => void): void {
  let seen: Buffer | undefined;
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    if (timer !== undefined) clearTimeout(timer);
    // 'readable', not 'data': without this listener the stream forgets that it was read by hand, and flows for the next one.
    socket.off('readable', onReadable);
    socket.off('end', onEnd);
    socket.off('close', onEnd);
  };
  const finish = (consumed: number, then: () => void): void => {
    stop();
    if (seen !== undefined && seen.length > consumed) socket.unshift(consumed === 0 ? seen : seen.subarray(consumed));
    then();
  };
  const onReadable = (): void => {
    const chunk = socket.read() as Buffer | null;
    // At its end a stream is readable once more.
    if (chunk === null) return;
    seen = seen === undefined ? chunk : Buffer.concat([seen, chunk]);
    const found = look(seen);
    if (found !== 'more') finish(found, done);
  };
  const onEnd = (): void => {
    stop();
    ended();
  };
  socket.on('end', onEnd);
  socket.on('close', onEnd);
  socket.on('readable', onReadable);
  if (timeoutMs > 0) timer = setTimeout(() => finish(0, expired), timeoutMs).unref();
}
