/** Flags that mean the same wherever they appear. */
import * as Flags from '@oclif/core/flags';
import { FairleadError } from '../errors.ts';

export const config = Flags.string({
  char: 'f',
  multiple: true,
  helpValue: 'PATH',
  description: 'files or folders of configuration, - for standard input [default: ./mesh when it exists]',
});

export const namespace = Flags.string({
  char: 'n',
  helpValue: 'NAMESPACE',
  description: 'namespace of resources that name none',
  default: 'default',
});

export const agent = Flags.string({
  helpValue: 'URL',
  description: 'where the agent listens: http://HOST:PORT or unix:PATH [default: this node’s]',
  env: 'FAIRLEAD_AGENT',
});

export const output = (...formats: string[]) =>
  Flags.string({ char: 'o', helpValue: formats.join('|'), options: formats, description: 'output format' });

export const quiet = Flags.boolean({ char: 'q', description: 'say only what was asked for' });

/** A flag whose value is one of a few, in whatever case. Throws E_USAGE for others: a filter that nothing can pass is a mistake. */
export const oneOf = (flag: string, values: readonly string[], description: string) =>
  Flags.string({
    helpValue: values.join('|'),
    description,
    parse: async (typed) => {
      const value = values.find((v) => v.toLowerCase() === typed.toLowerCase());
      if (value !== undefined) return value;
      throw new FairleadError(
        'E_USAGE',
        `--${flag} must be ${values.slice(0, -1).join(', ')} or ${values.at(-1)}, not ${JSON.stringify(typed)}`,
      );
    },
  });
