/** Whether the addresses that a config asks for are free. */
import { createServer } from 'node:net';
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import type { Problem } from '../../src/errors.ts';
import { bindProblem } from '../proxy/listener/bind-problem.ts';

interface Address {
  host: string;
  port: number;
}

/** The TCP addresses that a listener binds. */
export function boundAddresses(listener: ListenerJson): Address[] {
  if (listener.bindToPort === false) return [];
  return [listener.address, ...(listener.additionalAddresses ?? []).map((a) => a.address)].flatMap((a) => {
    const socket = a?.socketAddress;
    if (!socket?.address || socket.protocol === 'UDP') return [];
    return [{ host: socket.address, port: Number(socket.portValue ?? 0) }];
  });
}

export const addressText = ({ host, port }: Address): string => `${host}:${port}`;

/**
 * One problem for each address that cannot be bound, as the embedded proxy would tell it. Envoy alone does not notice every one: its
 * sockets have SO_REUSEPORT, so two Envoys of one user would share a port, each with half of its connections.
 *
 * @param held what this proxy's own Envoy has bound already
 */
export async function bindProblems(listeners: readonly ListenerJson[], held: ReadonlySet<string>): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const listener of listeners) {
    for (const address of boundAddresses(listener)) {
      if (address.port === 0 || held.has(addressText(address))) continue;
      const error = await tryBind(address);
      if (error) problems.push(bindProblem({ name: listener.name ?? '', address: { text: addressText(address) } }, error));
    }
  }
  return problems;
}

/** Resolves once the addresses are free, or after `deadlineMs`. */
export async function freed(addresses: readonly Address[], deadlineMs: number): Promise<void> {
  for (const end = Date.now() + deadlineMs; Date.now() < end; ) {
    const errors = await Promise.all(addresses.map(tryBind));
    if (!errors.some((e) => e?.code === 'EADDRINUSE')) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function tryBind({ host, port }: Address): Promise<NodeJS.ErrnoException | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', (error) => resolve(error));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
