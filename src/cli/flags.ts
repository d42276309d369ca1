/** Flags that mean the same wherever they appear. */
import * as Flags from '@oclif/core/flags';
import { FairleadError } from '../errors.ts';

/** Kubernetes: a namespace's name is an RFC 1123 label. */
const NAMESPACE = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

export const config = Flags.string({
  char: 'f',
  multiple: true,
  helpValue: 'PATH',
  description: 'files or folders of configuration, - for standard input [default: ./mesh when it exists]',
});

/** What --namespace takes. Throws E_USAGE for what cannot be one. */
export async function namespaceName(typed: string): Promise<string> {
  if (NAMESPACE.test(typed)) return typed;
  throw new FairleadError('E_USAGE', `--namespace must be a namespace's name, not ${JSON.stringify(typed)}`, {
    next: 'Names of namespaces are 1 to 63 lower-case letters, digits and `-`, and begin and end with a letter or digit.',
  });
}

/**
 * What is meant without --namespace: `default` in files, and with --kubernetes the context's, as kubectl has it. So whoever reads a cluster need not
 * know whether `-n default` was typed. Throws E_KUBECONFIG.
 */
async function unnamedNamespace({ flags }: { flags: Record<string, unknown> }): Promise<string> {
  if (flags['kubernetes'] !== true) return 'default';
  const { openKubeConfig } = await import('../kubernetes/kube-config.ts');
  // Of several contexts the first is the one that is meant where only one can be.
  const [context] = [flags['context']].flat();
  return openKubeConfig(typeof context === 'string' ? context : undefined).namespace;
}

export const namespace = Flags.string({
  char: 'n',
  helpValue: 'NAMESPACE',
  description: 'namespace of resources that name none [default: default; of a cluster, the context’s]',
  default: unnamedNamespace,
  defaultHelp: async () => undefined,
  parse: namespaceName,
});

export const agent = Flags.string({
  helpValue: 'URL',
  description: 'where the agent listens: http://HOST:PORT or unix:PATH [default: this node’s]',
  env: 'FAIRLEAD_AGENT',
});

export const engine = Flags.string({
  helpValue: 'auto|envoy|embedded',
  options: ['auto', 'envoy', 'embedded'],
  description: 'what runs the traffic: the real Envoy, or the embedded proxy; auto takes Envoy when there is one',
  env: 'FAIRLEAD_ENGINE',
  default: 'auto',
});

export const output = (...formats: string[]) =>
  Flags.string({ char: 'o', helpValue: formats.join('|'), options: formats, description: 'output format' });

export const quiet = Flags.boolean({ char: 'q', description: 'say only what was asked for' });

/** A share of requests in percent, fractions included. Throws E_USAGE beyond 0 to 100. */
export const percent = (flag: string, description: string) =>
  Flags.custom<number>({
    helpValue: 'PERCENT',
    description,
    parse: async (typed) => {
      const value = Number(typed.replace(/%$/, ''));
      if (typed.trim() !== '' && value >= 0 && value <= 100) return value;
      throw new FairleadError('E_USAGE', `--${flag} must be a percentage from 0 to 100, not ${JSON.stringify(typed)}`);
    },
  })();

/** A flag whose value is one of a few, in whatever case. Throws E_USAGE for others: a filter that nothing can pass is a mistake. */
export const oneOf = (flag: string, values: readonly string[], description: string, aliases: string[] = []) =>
  Flags.string({
    aliases,
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
