import type { Socket } from 'node:net';

/** `more` waits for further bytes, at most `timeoutMs`; anything else ends the look: a number of bytes is taken away first. */
export type Look = (bytes: Buffer) => 'more' | number;

/**
 * Looks at the first bytes of a connection. They are put back, less those taken away, and `done` runs with the socket paused,
 * on the same turn. `ended` runs when the peer leaves before, `expired` when it takes too long (0: no limit).
 */
export function peek(socket: Socket, look: Look, timeoutMs: number, done: () => void, expired: () => void, ended: () => void): void {
  let seen: Buffer | undefined;
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    if (timer !== undefined) clearTimeout(timer);
    socket.off('data', onData);
    socket.off('end', onEnd);
    socket.off('close', onEnd);
    socket.off('error', ignore);
  };
  const finish = (consumed: number, then: () => void): void => {
    stop();
    socket.pause();
    if (seen !== undefined && seen.length > consumed) socket.unshift(consumed === 0 ? seen : seen.subarray(consumed));
    then();
  };
  const onData = (chunk: Buffer): void => {
    seen = seen === undefined ? chunk : Buffer.concat([seen, chunk]);
    const found = look(seen);
    if (found !== 'more') finish(found, done);
  };
  const onEnd = (): void => {
    stop();
    ended();
  };
  // 'close' follows and says it all.
  const ignore = (): void => undefined;
  socket.on('error', ignore);
  socket.on('end', onEnd);
  socket.on('close', onEnd);
  socket.on('data', onData);
  if (timeoutMs > 0) timer = setTimeout(() => finish(0, expired), timeoutMs).unref();
}
