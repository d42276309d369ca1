/** What commands have in common that only ask a proxy that runs: of an agent, or of a pod. */
import * as Flags from '@oclif/core/flags';
import { FairleadError } from '../errors.ts';
import type { PodAddress } from '../kubernetes/pods.ts';
import * as flags from './flags.ts';
import { podOfArgument } from './proxy-source.ts';
import { podChoice, podFlags, remoteFlags } from './remote-flags.ts';

export const liveProxyFlags = {
  agent: flags.agent,
  ...podFlags('agent', 'proxy'),
  proxy: Flags.string({ helpValue: 'NAME[.NAMESPACE]', description: 'the proxy, in place of the argument' }),
  ...remoteFlags,
};

/**
 * The pod that is meant; undefined: a proxy of an agent. Throws E_USAGE when no pod is named under `-k`.
 *
 * @param what what is asked for, in the plural
 */
export function livePod(
  argument: string | undefined,
  flags: Parameters<typeof podOfArgument>[1] & Parameters<typeof podChoice>[1],
  what: string,
): PodAddress | undefined {
  if (flags.kubernetes && argument === undefined)
    throw new FairleadError('E_USAGE', `say which pod’s proxy is meant: ${what} are of what runs`, {
      next: 'Write -k POD[.NAMESPACE], or -k deployment/NAME[.NAMESPACE].',
    });
  const pod = podOfArgument(argument, flags);
  return pod === undefined ? undefined : podChoice(pod, flags);
}
