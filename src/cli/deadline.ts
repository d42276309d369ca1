import * as Flags from '@oclif/core/flags';
import { parseDuration } from '../config/duration.ts';
import { FairleadError } from '../errors.ts';

export const deadline = Flags.string({ helpValue: 'DURATION', description: 'how long requests in flight may take', default: '30s' });

/** Milliseconds of a `--deadline`. Throws E_USAGE. */
export function deadlineMs(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms < 0)
    throw new FairleadError('E_USAGE', `--deadline ${JSON.stringify(text)} is not a duration`, { next: 'Write 10s, 1m30s or 500ms.' });
  return ms;
}
