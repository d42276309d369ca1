/** Clients that write bytes: TCP, TLS, WebSocket handshakes and raw requests. Each message waits for the answer to the one before. */
import type { Socket } from 'node:net';
import { openSocket, seenTls } from './open-socket.ts';
import { type Answer, CLIENT_DEADLINE_MS, type Client, failed, NO_END, type SeenTls, type Sent } from './types.ts';

type Kind = 'tcp' | 'tcp-end' | 'tls' | 'websocket' | 'raw';

function open(kind: Kind, request: Sent): Socket {
  const own = kind === 'tls' && request.tls === undefined ? { ...request, tls: { rejectUnauthorized: false } } : request;
  return openSocket(own, { allowHalfOpen: kind === 'tcp-end' });
}

/** Head and body of an HTTP/1.1 answer; the body as it stands on the wire. */
function parseHead(text: string): Pick<Answer, 'status' | 'headers' | 'body'> {
  const at = text.indexOf('\r\n\r\n');
  const lines = text.slice(0, at < 0 ? text.length : at).split('\r\n');
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(lines[0] ?? '')?.[1] ?? 0);
  const headers = lines.slice(1).map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { status, headers, body: at < 0 ? '' : text.slice(at + 4) };
}

/** A whole answer after which the server closes: a client that waited for it to would only wait. */
function isLast({ headers, body }: Pick<Answer, 'headers' | 'body'>): boolean {
  const field = (name: string): string | undefined => headers.find(([k]) => k === name)?.[1];
  return field('connection') === 'close' && body.length >= Number(field('content-length') ?? Number.POSITIVE_INFINITY);
}

/** How long a listener that was just configured may take to listen. */
const LISTENS_MS = 3000;

async function patiently(kind: Kind, request: Sent): Promise<Answer> {
  for (const end = Date.now() + LISTENS_MS; ; ) {
    const answer = await converse(kind, request);
    if (!answer.error?.startsWith('connect ECONNREFUSED') || Date.now() > end) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function converse(kind: Kind, request: Sent): Promise<Answer> {
  const started = performance.now();
  return new Promise((resolve) => {
    const socket = open(kind, request);
    const queue = [...request.send];
    const messages: string[] = [];
    let text = '';
    let head = kind !== 'websocket';
    let error: string | undefined;
    const timer = setTimeout(() => {
      error = NO_END;
      socket.destroy();
    }, CLIENT_DEADLINE_MS);
    const next = (): void => {
      const message = queue.shift();
      if (message === undefined) socket.end();
      else socket.write(message, 'latin1');
    };
    socket.setEncoding('latin1');
    let tls: SeenTls | undefined;
    socket.once(kind === 'tls' || request.tls ? 'secureConnect' : 'connect', () => {
      tls = seenTls(socket);
      if (kind === 'websocket') socket.write(handshake(request), 'latin1');
      else if (kind === 'raw') for (const bytes of queue.splice(0)) socket.write(bytes, 'latin1');
      else if (kind === 'tcp-end') socket.end(queue.splice(0).join(''), 'latin1');
      else next();
    });
    socket.on('data', (d: string) => {
      text += d;
      if (kind === 'raw' && isLast(parseHead(text))) socket.end();
      if (kind === 'raw' || kind === 'tcp-end') return;
      if (head) {
        messages.push(d);
        return next();
      }
      if (!text.includes('\r\n\r\n')) return;
      head = true;
      if (parseHead(text).status === 101) next();
      else socket.end();
    });
    socket.on('error', (e) => {
      error ??= e.message;
    });
    socket.on('close', () => {
      clearTimeout(timer);
      const told = kind === 'websocket' || kind === 'raw' ? parseHead(text) : { status: 0, headers: [], body: text };
      // Who got nothing was turned away, whichever way the connection ended.
      if (text === '') error ??= 'closed';
      resolve({ ...failed('', started), ...told, messages, error, tls });
    });
  });
}

function handshake({ target, authority, headers }: Sent): string {
  const own = headers.map(([k, v]) => `${k}: ${v}\r\n`).join('');
  const upgrade = headers.some(([k]) => k === 'upgrade') ? '' : 'upgrade: websocket\r\n';
  const key = 'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
  return `GET ${target} HTTP/1.1\r\nhost: ${authority}\r\nconnection: Upgrade\r\n${upgrade}${key}${own}\r\n`;
}

/** A connection for each request. */
export const bytesClient = (kind: Kind): Client => ({ send: (request) => patiently(kind, request), close: () => undefined });
