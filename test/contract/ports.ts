/** Free ports below those that the kernel gives to connections, so that nothing takes one between its choice and its use. */
import { createServer } from 'node:net';

const FIRST = 10_000;
const COUNT = 9900;
/** Files run at the same time begin far from each other. */
let next = (process.pid * 379) % COUNT;

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '0.0.0.0', () => probe.close(() => resolve(true)));
  });
}

export async function freePort(): Promise<number> {
  for (let tries = 0; tries < COUNT; tries++) {
    const port = FIRST + next;
    next = (next + 1) % COUNT;
    if (await isFree(port)) return port;
  }
  throw new Error('no free port');
}
