import * as Flags from '@oclif/core/flags';
import { FairleadError } from '../errors.ts';

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 };

/** Bytes of `64Mi`, `5M` or `1000`, as Kubernetes writes quantities; undefined for what is none. */
export function parseSize(text: string): number | undefined {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)(k|M|G|Ki|Mi|Gi)?B?$/.exec(text) ?? [];
  return number === '' ? undefined : Math.round(Number(number) * (UNITS[unit] as number));
}

/** A flag for a number of bytes. Throws E_USAGE for what is none, or less than `least`. */
export const size = (flag: string, description: string, initial: string, least: string) =>
  Flags.custom<number>({
    helpValue: 'SIZE',
    description,
    default: async () => parseSize(initial) as number,
    defaultHelp: async () => initial,
    parse: async (typed) => {
      const value = parseSize(typed);
      if (value !== undefined && value >= (parseSize(least) as number)) return value;
      throw new FairleadError(
        'E_USAGE',
        `--${flag} ${JSON.stringify(typed)} is ${value === undefined ? 'no size' : `less than ${least}`}`,
        {
          next: 'Write 64Mi, 500Ki or 20M.',
        },
      );
    },
  })();
