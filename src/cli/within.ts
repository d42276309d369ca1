import * as Flags from '@oclif/core/flags';
import { parseDuration } from '../config/duration.ts';
import { FairleadError } from '../errors.ts';

const DAY = 86_400_000;

/** A length of time as people give it for certificates: `7d`, `36h`, `2w`, or Go's notation; milliseconds. */
export function parseSpan(text: string): number | undefined {
  const days = /^(\d+(?:\.\d+)?)([dw])$/.exec(text);
  if (days) return Number(days[1]) * (days[2] === 'w' ? 7 * DAY : DAY);
  const span = parseDuration(text);
  return span !== undefined && span >= 0 ? span : undefined;
}

/** A flag for such a length; milliseconds. */
export const span = (flag: string, description: string, initial: string) =>
  Flags.custom<number>({
    helpValue: 'TIME',
    description,
    default: async () => parseSpan(initial) as number,
    // For the help, which would show milliseconds.
    defaultHelp: async () => initial,
    parse: async (typed) => {
      const value = parseSpan(typed);
      if (value !== undefined) return value;
      throw new FairleadError('E_USAGE', `--${flag} ${JSON.stringify(typed)} is not a length of time`, {
        next: 'Write 7d, 36h, 90m or 2w.',
      });
    },
  })();
