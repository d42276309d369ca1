/** HTTP/1 byte for byte: what is sent is what was asked for, what came is told as it came. */
import { connect } from 'node:net';
import { type Answer, failed } from '../contract/clients/types.ts';
import type { FuzzRequest } from './types.ts';

const DEADLINE_MS = 10_000;

type Fields = [string, string][];

interface Head {
  status: number;
  headers: Fields;
  /** Where the body begins. */
  end: number;
}

export function readHead(text: string, from: number): Head | undefined {
  const at = text.indexOf('\r\n\r\n', from);
  if (at < 0) return undefined;
  const [first = '', ...lines] = text.slice(from, at).split('\r\n');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1] ?? 0), headers, end: at + 4 };
}

interface Whole {
  body: string;
  trailers: Fields;
  /** Where the next answer begins. */
  end: number;
}

/** The body that follows a head, when all of it is there. RFC 9112 6.3. */
export function readBody(text: string, head: Head, method: string, closed: boolean): Whole | undefined {
  const field = (name: string): string | undefined => head.headers.find(([k]) => k === name)?.[1];
  if (method === 'HEAD' || head.status === 204 || head.status === 304) return { body: '', trailers: [], end: head.end };
  if (field('transfer-encoding') === 'chunked') return readChunks(text, head.end);
  const length = field('content-length');
  if (length === undefined) return closed ? { body: text.slice(head.end), trailers: [], end: text.length } : undefined;
  const end = head.end + Number(length);
  return text.length >= end ? { body: text.slice(head.end, end), trailers: [], end } : undefined;
}

function readChunks(text: string, from: number): Whole | undefined {
  let body = '';
  for (let at = from; ; ) {
    const line = text.indexOf('\r\n', at);
    if (line < 0) return undefined;
    const size = Number.parseInt(text.slice(at, line), 16);
    if (size > 0) {
      body += text.slice(line + 2, line + 2 + size);
      at = line + 2 + size + 2;
      continue;
    }
    if (text.startsWith('\r\n', line + 2)) return { body, trailers: [], end: line + 4 };
    const trailers = readHead(`x\r\n${text.slice(line + 2)}`, 0);
    return trailers && { body, trailers: trailers.headers, end: line + 2 + trailers.end - 3 };
  }
}

/** Latin-1 carries any byte: UTF-8 of the texts goes out as it is. */
const bytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

export function wireText({ protocol, absolute, method, authority, path, headers, body, chunked }: FuzzRequest): string {
  const target = absolute ? `http://${authority}${path}` : path;
  const lines = [`${method} ${target} ${protocol.toUpperCase()}`, `host: ${authority}`, ...headers.map(([k, v]) => `${k}: ${v}`)];
  const content = bytes(body ?? '');
  if (chunked) lines.push('transfer-encoding: chunked');
  else if (body !== undefined) lines.push(`content-length: ${content.length}`);
  const half = content.length >> 1;
  const pieces = [content.slice(0, half), content.slice(half)].filter((p) => p !== '');
  const framed = chunked ? `${pieces.map((p) => `${p.length.toString(16)}\r\n${p}\r\n`).join('')}0\r\n\r\n` : content;
  return `${bytes(lines.join('\r\n'))}\r\n\r\n${framed}`;
}

/** A connection of its own for each request. */
export function sendHttp1(port: number, request: FuzzRequest): Promise<Answer> {
  const started = performance.now();
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    let text = '';
    let error: string | undefined;
    const timer = setTimeout(() => {
      error = 'no whole answer in time';
      socket.destroy();
    }, DEADLINE_MS);
    const read = (closed: boolean): boolean => {
      let head = readHead(text, 0);
      while (head && head.status >= 100 && head.status < 200) head = readHead(text, head.end);
      const whole = head && readBody(text, head, request.method, closed);
      if (!head || !whole) return false;
      clearTimeout(timer);
      socket.destroy();
      const rest = text.slice(whole.end);
      const { status, headers } = head;
      const { body, trailers } = whole;
      resolve({
        status,
        headers,
        body,
        trailers,
        messages: rest === '' ? [] : [rest],
        took: performance.now() - started,
        error: undefined,
      });
      return true;
    };
    socket.setEncoding('latin1');
    socket.on('connect', () => socket.write(wireText(request), 'latin1'));
    socket.on('data', (more: string) => {
      text += more;
      read(false);
    });
    socket.on('error', (e) => {
      error ??= e.message;
    });
    socket.on('close', () => {
      clearTimeout(timer);
      if (!read(true)) resolve({ ...failed(error ?? 'closed', started), body: text });
    });
  });
}
