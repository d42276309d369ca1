/** Headers of cases are checked: a misspelt expectation would be one that cannot fail. */
import type { ContractCase } from './case.ts';

export type Header = Pick<ContractCase, 'title' | 'reference' | 'steps'> &
  Partial<Pick<ContractCase, 'backends' | 'proxies' | 'meshConfig' | 'certificates' | 'keys' | 'tokens' | 'skip'>>;

const HEADER = ['title', 'reference', 'backends', 'proxies', 'meshConfig', 'certificates', 'keys', 'tokens', 'skip', 'steps'];
const BACKEND = [
  ...['service', 'port', 'protocol', 'labels', 'locality', 'weight', 'kind', 'reply'],
  ...['identity', 'dnsNames', 'sidecar', 'tls'],
];
const BACKEND_TLS = ['certificate', 'clients', 'alpn', 'minVersion', 'maxVersion'];
const CERTIFICATE = ['issuer', 'uri', 'dns', 'ip', 'name', 'valid', 'key', 'intermediate'];
const TOKEN = ['key', 'claims', 'alg', 'kid', 'expires', 'notBefore', 'tampered'];
const REPLY = [
  'repeat',
  'status',
  'headers',
  'body',
  'delay',
  'reset',
  'refuseStream',
  'failures',
  'hold',
  'grpcStatus',
  'trailersOnly',
  'trailers',
];
const REQUEST = [
  ...['url', 'method', 'headers', 'body', 'repeat', 'protocol', 'from', 'to', 'source', 'send', 'sni', 'tls'],
  ...['times', 'concurrent', 'vary', 'background', 'eventually', 'expect'],
];
const OTHER = ['release', 'change', 'wait', 'finish'];
const EXPECT = [
  ...[
    'status',
    'from',
    'local',
    'headers',
    'body',
    'length',
    'trailers',
    'broken',
    'upstream',
    'took',
    'record',
    'records',
    'statuses',
    'counts',
  ],
  ...['arrivals', 'shares', 'sticky', 'distinct', 'grpcStatus', 'grpcMessage', 'messages', 'stats', 'tls'],
];
const UPSTREAM = ['backend', 'method', 'path', 'authority', 'protocol', 'headers', 'body', 'length', 'principal', 'sni', 'client'];
const STEP_TLS = ['certificate', 'trust', 'alpn', 'minVersion', 'maxVersion', 'ciphers'];
const TLS = ['version', 'alpn', 'cipher', 'name', 'sans', 'trusted'];

function keys(value: unknown, known: readonly string[], where: string): asserts value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${where} is no mapping`);
  for (const key of Object.keys(value)) if (!known.includes(key)) throw new Error(`${where}: unknown key ${key}`);
}

function checkExpectation(value: unknown, where: string): void {
  keys(value, EXPECT, where);
  if (Object.keys(value).length === 0) throw new Error(`${where} expects nothing`);
  if (value['upstream'] !== undefined) keys(value['upstream'], UPSTREAM, `${where}.upstream`);
  if (value['tls'] !== undefined) keys(value['tls'], TLS, `${where}.tls`);
}

function checkStep(step: unknown, where: string): void {
  keys(step, [...REQUEST, ...OTHER], where);
  const { expect, finish, change, background, tls } = step;
  if (tls !== undefined && tls !== true) keys(tls, STEP_TLS, `${where}.tls`);
  const isRequest = 'url' in step || 'send' in step;
  if (isRequest && expect === undefined && background === undefined) throw new Error(`${where} is sent and nothing is expected`);
  if (!isRequest && !OTHER.some((k) => k in step)) throw new Error(`${where} does nothing`);
  if (expect !== undefined) checkExpectation(expect, `${where}.expect`);
  if (finish !== undefined) checkExpectation(finish, `${where}.finish`);
  if (change !== undefined) {
    keys(change, ['backend', 'reply'], `${where}.change`);
    keys(change['reply'], REPLY, `${where}.change.reply`);
  }
}

/** Throws unless `header` is one. */
export function checkHeader(header: unknown, file: string): asserts header is Header {
  keys(header, HEADER, file);
  const { title, reference, backends = {}, steps, skip = {} } = header;
  if (typeof title !== 'string' || typeof reference !== 'string') throw new Error(`${file}: title and reference are texts`);
  for (const [name, backend] of Object.entries(backends as object)) {
    keys(backend, BACKEND, `${file}: backend ${name}`);
    if (backend['reply'] !== undefined) keys(backend['reply'], REPLY, `${file}: reply of ${name}`);
    if (backend['tls'] !== undefined) keys(backend['tls'], BACKEND_TLS, `${file}: tls of ${name}`);
  }
  for (const [name, certificate] of Object.entries(header['certificates'] ?? {}))
    keys(certificate, CERTIFICATE, `${file}: certificate ${name}`);
  for (const [name, token] of Object.entries(header['tokens'] ?? {})) keys(token, TOKEN, `${file}: token ${name}`);
  keys(skip, ['embedded', 'explain'], `${file}: skip`);
  if (!Array.isArray(steps) || steps.length === 0) throw new Error(`${file}: no steps`);
  for (const [i, step] of steps.entries()) checkStep(step, `${file}: step ${i + 1}`);
}
