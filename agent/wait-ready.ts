import { FairleadError } from '../src/errors.ts';
import { exchange, httpTarget } from './http-client.ts';

const POLL_MS = 100;
const ANSWER_MS = 2000;

/** Resolves with the milliseconds that it took until the agent with that port of health on loopback was ready. Throws E_AGENT_UNREACHABLE at the deadline. */
export async function waitReady(port: number, timeoutMs: number): Promise<number> {
  const started = performance.now();
  const target = httpTarget(`http://127.0.0.1:${port}`);
  if (target === undefined) throw new FairleadError('E_USAGE', `${port} is not a port`);
  for (;;) {
    const why = await exchange(target, 'GET', '/healthz/ready', undefined, ANSWER_MS).then(
      ({ status, body }) => (status === 200 ? undefined : body.toString('utf8').trim() || `it answered ${status}`),
      (error: NodeJS.ErrnoException) => (error.code === 'ECONNREFUSED' ? 'nobody listens there yet' : error.message),
    );
    const took = Math.round(performance.now() - started);
    if (why === undefined) return took;
    if (took >= timeoutMs)
      throw new FairleadError('E_AGENT_UNREACHABLE', `the agent on port ${port} is not ready after ${timeoutMs / 1000} s: ${why}`, {
        next: 'Its log says what it waits for.',
      });
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
