import type { HeaderValueOptionJson } from '#envoy-api/envoy/config/core/v3/base_pb.js';
import { compileFormat, type Format } from './formatter.ts';
import { JOINED_REQUEST_HEADERS, JOINED_RESPONSE_HEADERS } from './joined-headers.ts';
import type { ProblemList } from './problems.ts';
import type { StreamInfo } from './stream-info.ts';

type AppendAction = 'APPEND_IF_EXISTS_OR_ADD' | 'ADD_IF_ABSENT' | 'OVERWRITE_IF_EXISTS_OR_ADD' | 'OVERWRITE_IF_EXISTS';

interface Addition {
  name: string;
  value: Format;
  action: AppendAction;
  keepEmpty: boolean;
  /** Envoy keeps this header once: appending joins with a comma. */
  joined: boolean;
}

/** Header changes of one level (weighted cluster, route, virtual host, route configuration). */
export interface HeaderMutations {
  readonly remove: readonly string[];
  readonly add: readonly Addition[];
}

/** Compiles one level; undefined when it changes nothing. `kind` is `request` or `response`, for the paths of problems. */
export function compileHeaderMutations(
  add: readonly HeaderValueOptionJson[] | undefined,
  remove: readonly string[] | undefined,
  kind: 'request' | 'response',
  path: string,
  problems: ProblemList,
): HeaderMutations | undefined {
  const additions = (add ?? []).map((option, i) => compileAddition(option, kind, `${path}.${kind}HeadersToAdd[${i}]`, problems));
  const removals = (remove ?? []).map((name, i) => {
    const key = name.toLowerCase();
    if (key.startsWith(':') || key === 'host')
      problems.invalid(`${path}.${kind}HeadersToRemove[${i}]`, ':-prefixed or host headers may not be removed');
    return key;
  });
  return additions.length === 0 && removals.length === 0 ? undefined : { remove: removals, add: additions };
}

function compileAddition(option: HeaderValueOptionJson, kind: 'request' | 'response', path: string, problems: ProblemList): Addition {
  const name = (option.header?.key ?? '').toLowerCase();
  if (name === '') problems.invalid(`${path}.header.key`, 'must not be empty');
  if (name.startsWith(':') || name === 'host') problems.invalid(`${path}.header.key`, ':-prefixed or host headers may not be modified');
  const raw = option.header?.rawValue;
  const text = raw === undefined ? (option.header?.value ?? '') : Buffer.from(raw, 'base64').toString('utf8');
  let value = compileFormat(text);
  if (typeof value === 'string') {
    problems.invalid(`${path}.header.value`, value);
    value = compileFormat('') as Format;
  }
  // Envoy: the deprecated `append` counts only where append_action has its default.
  const action = option.appendAction ?? (option.append === false ? 'OVERWRITE_IF_EXISTS_OR_ADD' : 'APPEND_IF_EXISTS_OR_ADD');
  const joined = (kind === 'request' ? JOINED_REQUEST_HEADERS : JOINED_RESPONSE_HEADERS).has(name);
  return { name, value, action, keepEmpty: option.keepEmptyValue === true, joined };
}

/**
 * Applies one level to a flat header list in place: removals first, then what overwrites, then what adds, each in order. Every value is
 * made, and every condition asked, of the list that the removals leave. An overwritten header moves to its end. Envoy: HeaderParser::evaluateHeaders.
 */
export function applyHeaderMutations(mutations: HeaderMutations, headers: string[], info: StreamInfo): void {
  for (const name of mutations.remove) removeHeader(headers, name);
  const { add } = mutations;
  const texts = add.map(({ value }) => value.format(info, ''));
  const given = add.map(({ name, action, keepEmpty }, i) => (texts[i] !== '' || keepEmpty) && isAsked(action, name, headers));
  for (const [i, { name, action }] of add.entries()) {
    if (!given[i] || !OVERWRITES.has(action)) continue;
    removeHeader(headers, name);
    headers.push(name, texts[i]!);
  }
  for (const [i, { name, action, joined }] of add.entries()) {
    if (!given[i] || OVERWRITES.has(action)) continue;
    if (!joined || action === 'ADD_IF_ABSENT' || !appendToHeader(headers, name, texts[i]!)) headers.push(name, texts[i]!);
  }
}

const OVERWRITES: ReadonlySet<Addition['action']> = new Set(['OVERWRITE_IF_EXISTS', 'OVERWRITE_IF_EXISTS_OR_ADD']);

function isAsked(action: Addition['action'], name: string, headers: readonly string[]): boolean {
  if (action === 'ADD_IF_ABSENT') return !hasHeader(headers, name);
  return action !== 'OVERWRITE_IF_EXISTS' || hasHeader(headers, name);
}

/** True when a flat list has the header. */
export function hasHeader(headers: readonly string[], name: string): boolean {
  for (let i = 0; i < headers.length; i += 2) if (headers[i] === name) return true;
  return false;
}

/** Appends to a header's first line with a comma; false when there is none. */
export function appendToHeader(headers: string[], name: string, text: string): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== name) continue;
    headers[i + 1] = headers[i + 1] === '' ? text : `${headers[i + 1]},${text}`;
    return true;
  }
  return false;
}

/** Removes all lines of a header from a flat list; true when there were some. */
export function removeHeader(headers: string[], name: string): boolean {
  let kept = 0;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === name) continue;
    if (kept !== i) {
      headers[kept] = headers[i]!;
      headers[kept + 1] = headers[i + 1]!;
    }
    kept += 2;
  }
  if (kept === headers.length) return false;
  headers.length = kept;
  return true;
}

/** Sets a header of a flat list to one value, in the place of its first line. */
export function setHeader(headers: string[], name: string, value: string): void {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== name) continue;
    headers[i + 1] = value;
    for (let j = headers.length - 2; j > i; j -= 2) if (headers[j] === name) headers.splice(j, 2);
    return;
  }
  headers.push(name, value);
}
