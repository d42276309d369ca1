/** A server of keys for tests, with two sets of keys and a token of each. */
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { Socket } from 'node:net';
import { listen } from './both-engines.ts';
import { jwk, otherRsa, rsa, token } from './tokens.ts';

export const oldKeys = JSON.stringify({ keys: [jwk(rsa.publicKey, { kid: 'old' })] });
export const newKeys = JSON.stringify({ keys: [jwk(otherRsa.publicKey, { kid: 'new' })] });
export const oldToken = token({ header: { alg: 'RS256', kid: 'old' } });
export const newToken = token({ header: { alg: 'RS256', kid: 'new' }, key: otherRsa.privateKey });

/** A server of keys; `answer` may be changed at any time. */
export interface KeyServer {
  readonly port: number;
  answer(response: ServerResponse, index: number): void;
  readonly asked: IncomingMessage[];
  close(): void;
}

export async function keyServer(answer: KeyServer['answer'], tls?: { cert: string; key: string }): Promise<KeyServer> {
  const sockets = new Set<Socket>();
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    self.asked.push(request);
    self.answer(response, self.asked.length - 1);
  };
  const server = tls === undefined ? createHttp(onRequest) : createHttps(tls, onRequest);
  server.on('connection', (socket: Socket) => sockets.add(socket));
  const self: KeyServer = {
    port: Number((await listen(server)).split(':')[1]),
    answer,
    asked: [],
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
  return self;
}

export const give =
  (text: string): KeyServer['answer'] =>
  (response) =>
    response.end(text);
export const fail: KeyServer['answer'] = (response) => response.writeHead(500).end();
