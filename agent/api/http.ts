/** What every answer of the agent's API needs. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { FairleadError } from '../../src/errors.ts';

const LARGEST_BODY = 64 * 1024;

/** The client's mistake, with the status that says so. */
export class BadRequest extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text);
}

/** 4xx for the client's mistakes, 503 while the engine is away, 500 for ours. */
export function sendError(response: ServerResponse, error: Error): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const status = error instanceof BadRequest ? error.status : error instanceof FairleadError ? 503 : 500;
  // What is left of the body is not read, so the connection cannot serve another request.
  if (status === 413) response.setHeader('connection', 'close');
  const code = error instanceof FairleadError ? { code: error.code } : {};
  sendJson(response, status, { error: { ...code, message: error.message } });
}

/** The JSON body, undefined when there is none. Throws BadRequest for anything else, and for more than 64 KiB. */
export async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += (chunk as Buffer).length;
    if (size > LARGEST_BODY) throw new BadRequest(413, `the body is larger than ${LARGEST_BODY} bytes`);
    chunks.push(chunk as Buffer);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BadRequest(400, `the body is not JSON: ${(error as Error).message}`);
  }
}

const OURS = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Refuses what a browser could be tricked into: a Host that is not this machine's (DNS rebinding), and any request that a
 * page sent (Origin, Sec-Fetch-Site). True when it was refused.
 */
export function refuseStranger({ headers }: IncomingMessage, response: ServerResponse): boolean {
  const host = (headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
  const site = headers['sec-fetch-site'];
  const byPage = headers.origin !== undefined || (site !== undefined && site !== 'none');
  if (OURS.has(host) && !byPage) return false;
  sendJson(response, 403, { error: { message: 'the agent answers to localhost only, and to no web page' } });
  return true;
}
