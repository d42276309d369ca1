/** What clients refused, as problems. */
import type { Problem } from '../../src/errors.ts';
import type { ResourceType } from './resource-types.ts';
import type { XdsStream } from './stream.ts';

/** What the streams of a proxy refuse of what is wanted now; empty when all is taken. */
export function refusalsOf(streams: Iterable<XdsStream>): Problem[] {
  const problems = new Map<string, Problem>();
  for (const stream of streams)
    for (const { type, refused, heldFor, nack } of stream.subscriptions.values()) {
      if (type === undefined) continue;
      for (const [name, { version, reason }] of refused) {
        if (stream.view.desired?.sets[type.kind].get(name)?.version !== version) continue;
        problems.set(`${type.kind} ${name}`, problemOf(type, name, reason));
      }
      if (heldFor !== undefined && heldFor === stream.view.desired?.sets[type.kind] && refused.size === 0 && nack)
        problems.set(type.kind, problemOf(type, '', nack.reason));
    }
  return [...problems.values()];
}

function problemOf({ kind }: ResourceType, name: string, reason: string): Problem {
  const what = name === '' ? `the ${kind}s` : `${kind} ${name}`;
  return {
    severity: 'error',
    rule: ruleOf(kind, reason),
    message: `Envoy refuses ${what}: ${plain(reason)}`,
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

function ruleOf(kind: string, reason: string): string {
  if (kind !== 'listener' || !/cannot bind/.test(reason)) return 'engine/refused';
  if (/in use/i.test(reason)) return 'listener/port-in-use';
  if (/denied/i.test(reason)) return 'listener/port-forbidden';
  return /cannot assign/i.test(reason) ? 'listener/no-such-address' : 'listener/bind-failed';
}
