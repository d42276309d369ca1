/** A CA that is served, and a client that was not written for it. */
import { request } from 'node:https';
import { join } from 'node:path';
import { initCa } from '../../../agent/ca/init.ts';
import { type CaServer, serveCa } from '../../../agent/ca/serve.ts';
import { silentLog } from '../../../agent/log.ts';
import { generateKey, keyToPem } from '../../../src/pki/keys.ts';
import { createRequest } from '../../../src/pki/request.ts';

const DAY = 86_400_000;
export const TRUST = 'spiffe://cluster.local';

export async function served<T>(folder: string, run: (ca: { directory: string; server: CaServer }) => Promise<T>): Promise<T> {
  const directory = join(folder, 'ca');
  await initCa(directory, {
    trustDomain: 'cluster.local',
    algorithm: 'ec-p256',
    rootLifeMs: 100 * DAY,
    intermediateLifeMs: 50 * DAY,
    passphrase: undefined,
  });
  const server = await serveCa(directory, { host: '127.0.0.1', port: 0, names: [], passphrase: undefined, log: silentLog });
  try {
    return await run({ directory, server });
  } finally {
    await server.close();
  }
}

export async function newRequest(): Promise<{ csr: string; key: string }> {
  const key = await generateKey('ec-p256');
  return { csr: createRequest(key, []), key: keyToPem(key) };
}

export interface Call {
  port: number;
  path: string;
  method?: string;
  body?: unknown;
  roots?: string;
  cert?: string;
  key?: string;
  headers?: Record<string, string>;
}

export interface Answer {
  status: number;
  body: Record<string, unknown> & {
    chain: string;
    roots: string;
    identity: string;
    serial: string;
    error?: { kind: string; message: string };
  };
}

export function call({ port, path, method = 'POST', body, roots, cert, key, headers = {} }: Call): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const tls = { ...(roots ? { ca: roots } : { rejectUnauthorized: false }), ...(cert ? { cert } : {}), ...(key ? { key } : {}) };
    const req = request({ host: '127.0.0.1', servername: 'localhost', port, path, method, agent: false, headers, ...tls }, (res) => {
      let text = '';
      res.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      res.on('end', () => resolve({ status: res.statusCode ?? 0, body: JSON.parse(text) as Answer['body'] }));
    });
    req.on('error', reject);
    req.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
  });
}
