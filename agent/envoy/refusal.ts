/** What Envoy says of a config that it refuses, told as the embedded proxy tells the same thing. */
import type { Problem } from '../../src/errors.ts';
import type { ApplyResult } from '../engine.ts';
import { bindProblem } from '../proxy/listener/bind-problem.ts';

/** `cannot bind '127.0.0.1:15001': Address already in use`, among what Envoy says of listeners. */
const BIND = /cannot bind '([^']+)': (.+?)(?:\n|$)/;

const CODES: Readonly<Record<string, string>> = {
  'Address already in use': 'EADDRINUSE',
  'Permission denied': 'EACCES',
  'Cannot assign requested address': 'EADDRNOTAVAIL',
};

/** Failures to bind get the rules that the agent acts on; everything else stays Envoy's own reason. */
export function readRefusal(result: ApplyResult): ApplyResult {
  return result.applied ? result : { ...result, problems: result.problems.map(readProblem) };
}

/** Before its reason Envoy may print the whole message, in a debug form that says `goo.gle/debug…` first. */
const PRINTED = /goo\.gle\/debug\w*\s[\s\S]*\n?: (?=[A-Z])/;

/** Envoy's reason without what it prints before it. */
export const plainReason = (text: string): string => text.replace(PRINTED, '').trim();

function readProblem(given: Problem): Problem {
  const problem = { ...given, message: plainReason(given.message) };
  const [, address, why = ''] = BIND.exec(problem.message) ?? [];
  const name = /^listener (.+)$/.exec(problem.origin ?? '')?.[1];
  if (address === undefined || name === undefined) return problem;
  return bindProblem({ name, address: { text: address } }, Object.assign(new Error(why), { code: CODES[why.trim()] ?? 'EUNKNOWN' }));
}
