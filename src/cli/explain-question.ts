/** What the command line of `explain` asks, checked word by word, and its answer. */
import { FairleadError } from '../errors.ts';
import { clientIdentity, IDENTITY_HINT } from '../explain/client-identity.ts';
import type { Draws } from '../explain/draw.ts';
import type { Exposure } from '../explain/exposures.ts';
import { MESH_ALPN } from '../explain/mesh-alpn.ts';
import type { ClientIdentity, Entry, Explanation, HeaderLine, SecurityFacts } from '../explain/types.ts';
import { parseUrl, splitAuthority } from '../explain/url.ts';
import { parseIp } from '../routing/ip-range.ts';
import { type ExplainAround, type ExplainChoice, explainSource } from './explain-source.ts';

export interface ExplainFlags extends ExplainChoice {
  header?: string[] | undefined;
  listener?: string | undefined;
  'source-ip'?: string | undefined;
  sni?: string | undefined;
  http2?: boolean | undefined;
  'jwt-claims'?: string | undefined;
  identity?: string | undefined;
  tls?: boolean | undefined;
  'ext-authz'?: string | undefined;
  times?: number | undefined;
  seed?: number | undefined;
  all?: boolean | undefined;
  output?: string | undefined;
}

export type ExplainResult = (Explanation & { readonly draws?: Draws }) | readonly Exposure[];

export type ExplainAnswer =
  | { readonly kind: 'explanation'; readonly asked: string; readonly result: Explanation & { readonly draws?: Draws } }
  | { readonly kind: 'exposures'; readonly proxy: string; readonly result: readonly Exposure[] };

const usage = (message: string, next: string): FairleadError => new FairleadError('E_USAGE', message, { next });
const HOW = 'Write `fairlead explain [METHOD] URL` or `fairlead explain tcp HOST PORT`.';

/** Answers a command line. Throws E_USAGE for what cannot be asked, and whatever `explainSource` throws. */
export async function askExplain(words: readonly string[], flags: ExplainFlags, around: ExplainAround): Promise<ExplainAnswer> {
  if (flags.all === true) return listAll(words, flags, around);
  const sourceIp = flags['source-ip'];
  if (sourceIp !== undefined && parseIp(sourceIp) === undefined)
    throw usage(`--source-ip must be an IP address, not ${JSON.stringify(sourceIp)}`, 'Give 10.0.0.1 or 2001:db8::1.');
  const { identity, 'ext-authz': extAuthz } = flags;
  if (flags.tls === true && flags.to === undefined && flags.listener === undefined)
    throw usage('--tls says how a proxy is called: --to or --listener has to say which', 'Add --to WORKLOAD, or leave it out.');
  const common: Common = {
    ...(sourceIp !== undefined && { sourceIp }),
    ...(flags.sni !== undefined && { sni: flags.sni }),
    ...(identity !== undefined && { client: clientOf(identity) }),
    ...((extAuthz === 'allow' || extAuthz === 'deny') && { extAuthz }),
    ...(flags.tls === true && { tls: true, sni: flags.sni ?? '', alpn: MESH_ALPN }),
  };
  const [first = ''] = words;
  if (first.toLowerCase() === 'tcp') return askConnection(words, flags, common, around);
  return askRequest(words, flags, common, around);
}

async function listAll(words: readonly string[], flags: ExplainFlags, around: ExplainAround): Promise<ExplainAnswer> {
  if (words.length > 0) throw usage('--all lists everything that can be asked: it takes no URL', 'Leave one of them out.');
  if (flags.output === 'dot' || flags.output === 'mermaid')
    throw usage(`--all has no picture: -o ${flags.output} is for one request`, 'Use text, json or yaml.');
  const { view } = await explainSource(flags, undefined, around);
  const { exposuresOf } = await import('../explain/exposures.ts');
  return { kind: 'exposures', proxy: view.proxy, result: exposuresOf(view) };
}

interface Common extends SecurityFacts {
  sourceIp?: string;
  sni?: string;
  alpn?: readonly string[];
  tls?: true;
}

async function askConnection(words: readonly string[], flags: ExplainFlags, common: Common, around: ExplainAround): Promise<ExplainAnswer> {
  const [, host = '', portText = ''] = words;
  const port = Number(portText);
  if (words.length !== 3) throw usage('a connection is asked for with a host and a port', 'Write `fairlead explain tcp HOST PORT`.');
  if (splitAuthority(host.includes(':') && !host.startsWith('[') ? `[${host}]` : host) === undefined)
    throw usage(`${JSON.stringify(host)} is no host`, HOW);
  if (!/^\d+$/.test(portText) || port < 1 || port > 65_535)
    throw usage(`${JSON.stringify(portText)} is no port: ports are 1 to 65535`, HOW);
  for (const flag of ['header', 'jwt-claims', 'http2'] as const)
    if (flags[flag] !== undefined && flags[flag] !== false)
      throw usage(`--${flag} is about requests: connections have none`, 'Leave it out.');
  const { view, notes } = await explainSource(flags, host, around);
  const { explainConnection } = await import('../explain/explain.ts');
  const plain = host.replace(/^\[|\]$/g, '');
  const explanation = explainConnection(view, { host: plain, port, ...common, ...entryOf(flags, port) });
  return withDraws(explanation, notes, `tcp ${host} ${port}${flags.sni === undefined ? '' : ` (TLS, ${flags.sni})`}`, flags);
}

/** Methods that nobody writes in lower case on purpose; they are case-sensitive otherwise (RFC 9110 9.1). */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']);

async function askRequest(words: readonly string[], flags: ExplainFlags, common: Common, around: ExplainAround): Promise<ExplainAnswer> {
  if (words.length === 0) throw usage('there is nothing to explain: no URL', HOW);
  if (words.length > 2) throw usage(`that is one word too many: ${JSON.stringify(words[2])}`, HOW);
  const [typed, text] = words.length === 2 ? (words as [string, string]) : ['GET', words[0]!];
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(typed)) throw usage(`${JSON.stringify(typed)} is no method`, HOW);
  const method = METHODS.has(typed.toUpperCase()) ? typed.toUpperCase() : typed;
  if (words.length === 1 && METHODS.has(text.toUpperCase())) throw usage(`${text} is a method without a URL`, HOW);
  const url = parseUrl(text);
  if (typeof url === 'string') throw usage(url, 'A URL is http://HOST[:PORT]/PATH or https://HOST[:PORT]/PATH.');
  const headers = (flags.header ?? []).map(headerLine);
  const claims = flags['jwt-claims'] === undefined ? undefined : claimsOf(flags['jwt-claims']);
  const { view, notes } = await explainSource(flags, hostOf(headers) ?? url.host, around);
  const { explainRequest } = await import('../explain/explain.ts');
  const explanation = explainRequest(view, {
    method,
    url: text,
    headers,
    ...(flags.http2 === true && { protocol: 'HTTP/2' }),
    ...common,
    ...(claims !== undefined && { jwtClaims: claims }),
    ...entryOf(flags, url.port),
  });
  return withDraws(explanation, notes, `${method} ${url.scheme}://${url.authority}${url.path}`, flags);
}

function clientOf(text: string): ClientIdentity {
  const found = clientIdentity(text);
  if (found === undefined) throw usage(`${JSON.stringify(text)} is no identity`, IDENTITY_HINT);
  return found;
}

function hostOf(headers: readonly HeaderLine[]): string | undefined {
  const host = headers.find(([name]) => name.toLowerCase() === 'host')?.[1];
  return host === undefined ? undefined : splitAuthority(host)?.host;
}

function entryOf(flags: ExplainFlags, port: number): { entry?: Entry } {
  if (flags.listener !== undefined) return { entry: { kind: 'listener', name: flags.listener } };
  return flags.to === undefined ? {} : { entry: { kind: 'inbound', port } };
}

/** `NAME: VALUE`, as curl takes it. Throws E_USAGE. */
export function headerLine(text: string): HeaderLine {
  const colon = text.indexOf(':', 1);
  const shown = JSON.stringify(text);
  if (colon < 1) throw usage(`${shown} is no header`, "Write -H 'NAME: VALUE'.");
  const name = text.slice(0, colon).trim();
  const value = text.slice(colon + 1).trim();
  // RFC 9110 5.1 and 5.5.
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name))
    throw usage(`${shown}: ${JSON.stringify(name)} is no name of a header`, 'Names are letters, digits and dashes.');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what a value must not have
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(value))
    throw usage(`${shown} has a control character in its value`, "Write -H 'NAME: VALUE' on one line.");
  return [name, value];
}

/** The value of --jwt-claims. Throws E_USAGE. */
export function claimsOf(text: string): Record<string, unknown> {
  const next = `Give the payload as a JSON object: --jwt-claims '{"iss": "https://issuer", "groups": ["admin"]}'.`;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw usage(`--jwt-claims is not JSON: ${(error as Error).message}`, next);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw usage('--jwt-claims is not a JSON object', next);
  return json as Record<string, unknown>;
}

async function withDraws(
  explanation: Explanation,
  notes: readonly string[],
  asked: string,
  { times, seed = 1 }: ExplainFlags,
): Promise<ExplainAnswer> {
  const result = notes.length === 0 ? explanation : { ...explanation, notes: [...notes, ...explanation.notes] };
  if (times === undefined) return { kind: 'explanation', asked, result };
  const { draw } = await import('../explain/draw.ts');
  return { kind: 'explanation', asked, result: { ...result, draws: draw(explanation, times, seed) } };
}
