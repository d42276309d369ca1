/**
 * The embedded proxy's process.
 *
 *   node main.js --control PATH --version VERSION [--orphan-seconds N]
 *
 * It lives on when the agent dies; with --orphan-seconds it ends by itself when no agent has been attached for that long.
 * SIGTERM and SIGINT drain, then end.
 */
import { chmodSync, rmSync, statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { collectWhenIdle } from '../../src/memory/collect-when-idle.ts';
import { createControlServer } from './control.ts';
import { createEventStreams } from './event-streams.ts';
import { createProxyHost } from './host.ts';

const DRAIN_MS = 30_000;

const { values } = parseArgs({
  options: { control: { type: 'string' }, version: { type: 'string' }, 'orphan-seconds': { type: 'string' } },
});
const socket = values.control;
if (!socket) {
  console.error('fairlead proxy: --control PATH is missing; this process is started by the agent');
  process.exit(2);
}
const orphanMs = values['orphan-seconds'] === undefined ? undefined : Number(values['orphan-seconds']) * 1000;

let leash: NodeJS.Timeout | undefined;
const events = createEventStreams((attached) => {
  if (leash) clearTimeout(leash);
  leash =
    attached === 0 && orphanMs !== undefined ? setTimeout(() => void end('no agent has been attached for a while'), orphanMs) : undefined;
});
const host = createProxyHost(events);
const server = createControlServer({
  host,
  events,
  version: values.version ?? '',
  startedAt: Date.now(),
  stop: () => void end('asked to stop'),
});

let ending = false;
async function end(why: string): Promise<void> {
  if (ending) return;
  ending = true;
  events.log('info', `the proxy ends: ${why}`);
  await host.close();
  events.close();
  // Closing removes the socket's file, which must not be that of a successor.
  if (inode() === ownInode) {
    server.close();
    rmSync(socket as string, { force: true });
  }
  server.closeAllConnections();
  process.exit(0);
}

let ownInode: number | undefined;
function inode(): number | undefined {
  return statSync(socket as string, { throwIfNoEntry: false })?.ino;
}

// A log that cannot be written (a full disk) is no reason to drop traffic.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (ending) return;
    events.log('info', `${signal}: draining`);
    void host.drain(DRAIN_MS).then(() => end(signal));
  });
}
// The terminal that started the agent may be gone; the data plane stays.
process.on('SIGHUP', () => undefined);

rmSync(socket, { force: true });
server.listen(socket, () => {
  chmodSync(socket, 0o600);
  ownInode = inode();
});
server.on('error', (error) => {
  console.error(`fairlead proxy: cannot listen on ${socket}: ${error.message}`);
  process.exit(1);
});
collectWhenIdle();
if (orphanMs !== undefined) leash = setTimeout(() => void end('no agent attached'), orphanMs);
