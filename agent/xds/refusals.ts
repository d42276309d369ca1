/** What clients refused, as problems. */
import type { Problem } from '../../src/errors.ts';
import type { ResourceType } from './resource-types.ts';
import type { XdsStream } from './stream.ts';

/**
 * What the streams of a proxy refuse of what is wanted now; empty when all is taken.
 *
 * @param who refuses: `Envoy`
 */
export function refusalsOf(streams: Iterable<XdsStream>, who = 'Envoy'): Problem[] {
  const problems = new Map<string, Problem>();
  for (const stream of streams)
    for (const { type, refused, heldFor, nack } of stream.subscriptions.values()) {
      if (type === undefined) continue;
      for (const [name, { version, reason }] of refused) {
        if (stream.view.desired?.sets[type.kind].get(name)?.version !== version) continue;
        problems.set(`${type.kind} ${name}`, problemOf(who, type, name, reason));
      }
      if (heldFor !== undefined && heldFor === stream.view.desired?.sets[type.kind] && refused.size === 0 && nack)
        problems.set(type.kind, problemOf(who, type, '', nack.reason));
    }
  return [...problems.values()];
}

function problemOf(who: string, { kind }: ResourceType, name: string, reason: string): Problem {
  const what = name === '' ? `the ${kind}s` : `${kind} ${name}`;
  return {
    severity: 'error',
    rule: ruleOf(kind, reason),
    message: `${who} refuses ${what}: ${plain(reason).replace(RULE, '')}`,
    origin: `${kind} ${name}`.trim(),
  };
}

/** On one line. Envoy's protobuf puts a marker of its own into messages it prints, so that nobody parses them. */
function plain(reason: string): string {
  return reason
    .replace(/goo\.gle\/debug\w+/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}

/** An agent of ours says by which of its rules it refuses. */
const RULE = / \[([a-z]+\/[a-z-]+)\]$/;

function ruleOf(kind: string, reason: string): string {
  const [, told] = RULE.exec(reason) ?? [];
  if (told !== undefined) return told;
  if (kind !== 'listener' || !/cannot bind/.test(reason)) return 'engine/refused';
  if (/in use/i.test(reason)) return 'listener/port-in-use';
  if (/denied/i.test(reason)) return 'listener/port-forbidden';
  return /cannot assign/i.test(reason) ? 'listener/no-such-address' : 'listener/bind-failed';
}
