/** Token reviews as the node agent needs them: few, short-lived, and no way for a stranger to keep the API server busy. */
import { createHash } from 'node:crypto';
import { tokenFault } from '../../src/kubernetes/token-review.ts';
import { PERMISSION_DENIED, UNAUTHENTICATED, UNAVAILABLE } from '../xds/refuse-call.ts';
import type { PodCaller } from './token-review.ts';

/** With gRPC's status code. */
export interface Refused {
  refused: string;
  code: number;
}

export interface Reviewer {
  /** Whose token it is. Messages never repeat it. Never rejects. */
  review(token: string): Promise<PodCaller | Refused>;
  /** The pod is gone: its tokens are asked for anew. */
  forget(uid: string): void;
}

export interface ReviewerOptions {
  audience: string;
  /** Rejects while nobody can be asked. */
  ask(token: string): Promise<PodCaller | { refused: string }>;
  /** Milliseconds. */
  now?: () => number;
}

/** How long an answer counts, milliseconds. */
const KEEP_MS = 10_000;
const MOST_KEPT = 1024;
/** Questions at the same time, and those that wait for their turn. */
const MOST_ASKED = 8;
const MOST_WAITING = 512;

export function createReviewer({ audience, ask, now = performance.now.bind(performance) }: ReviewerOptions): Reviewer {
  const known = new Map<string, { until: number; answer: Promise<PodCaller | Refused>; uid?: string }>();
  const waiting: (() => void)[] = [];
  let asking = 0;

  async function turn(): Promise<void> {
    if (asking < MOST_ASKED) asking++;
    else await new Promise<void>((resolve) => waiting.push(resolve));
  }

  function done(): void {
    const next = waiting.shift();
    if (next) next();
    else asking--;
  }

  async function askNow(token: string): Promise<PodCaller | Refused> {
    await turn();
    try {
      const answer = await ask(token);
      return 'refused' in answer ? { refused: `the token is not accepted: ${answer.refused}`, code: UNAUTHENTICATED } : answer;
    } catch (error) {
      return { refused: `the token cannot be checked now: ${(error as Error).message}`, code: UNAVAILABLE };
    } finally {
      done();
    }
  }

  return {
    async review(token) {
      const fault = tokenFault(token, audience);
      if (fault !== undefined) return { refused: `the token is not accepted: ${fault}`, code: UNAUTHENTICATED };
      const key = createHash('sha256').update(token).digest('base64');
      const found = known.get(key);
      if (found && found.until > now()) return found.answer;
      if (waiting.length >= MOST_WAITING) return { refused: 'too many tokens wait to be checked', code: UNAVAILABLE };
      const entry: { until: number; answer: Promise<PodCaller | Refused>; uid?: string } = {
        until: now() + KEEP_MS,
        answer: askNow(token),
      };
      known.delete(key);
      known.set(key, entry);
      if (known.size > MOST_KEPT) known.delete(known.keys().next().value as string);
      const answer = await entry.answer;
      if ('uid' in answer) entry.uid = answer.uid;
      // What could not be asked may be asked in a moment.
      else if (answer.code === UNAVAILABLE && known.get(key) === entry) known.delete(key);
      return answer;
    },
    forget(uid) {
      for (const [key, entry] of known) if (entry.uid === uid) known.delete(key);
    },
  };
}

/** The refusal of what is known and not allowed. */
export const denied = (refused: string): Refused => ({ refused, code: PERMISSION_DENIED });
export const unavailable = (refused: string): Refused => ({ refused, code: UNAVAILABLE });
