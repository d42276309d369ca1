/** What every answer of the agent's API needs. */
import type { IncomingMessage, ServerResponse } from 'node:http';

const LARGEST_BODY = 64 * 1024;

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text);
}

/** The JSON body, undefined when there is none. Throws on anything else, and on more than 64 KiB. */
export async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > LARGEST_BODY) throw new Error('the body is too large');
    chunks.push(chunk as Buffer);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? undefined : JSON.parse(text);
}

/**
 * Refuses what a browser could be tricked into: a Host that is not this machine's (DNS rebinding), and any request that a
 * page sent (Origin). True when it was refused.
 */
export function refuseStranger(request: IncomingMessage, response: ServerResponse): boolean {
  // A Unix socket has no port: only who may open the file gets here.
  if (request.socket.remoteAddress === undefined) return false;
  const host = (request.headers.host ?? '').replace(/:\d+$/, '');
  if (request.headers.origin === undefined && ['localhost', '127.0.0.1', '[::1]'].includes(host)) return false;
  sendJson(response, 403, { error: { message: 'the agent answers to localhost only, and to no web page' } });
  return true;
}
