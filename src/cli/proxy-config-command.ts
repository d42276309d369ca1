/** What the commands that read one proxy's config share. */
import { FairleadError } from '../errors.ts';
import type { PodAddress } from '../kubernetes/pods.ts';
import { BaseCommand } from './base-command.ts';
import { type AdminClient, type ProxyChoice, type ProxySource, podOfArgument, proxySource } from './proxy-source.ts';

export abstract class ProxyConfigCommand extends BaseCommand {
  #source: string | undefined;

  /**
   * Opens the source that the command line names.
   * @param connect makes the client of an agent or a pod: commands bring it along, because src does not know the agent
   */
  protected open(
    flags: ProxyChoice,
    args: { proxy?: string | undefined },
    connect: (at: string | undefined | PodAddress) => Promise<AdminClient>,
  ): Promise<ProxySource> {
    const pod = podOfArgument(args.proxy, flags);
    this.#source = flags.file === '-' ? 'standard input' : (flags.file ?? pod);
    return proxySource(
      { ...flags, pod, proxy: flags.proxy ?? args.proxy },
      {
        connect: (at) => connect(at ?? flags.agent),
        warn: (text) => process.stderr.write(`warning: ${text}\n`),
        version: this.config.version,
      },
    );
  }

  /** A file, or a program that is no proxy, can have a dump's sections and other things in them than a dump's. */
  protected override async catch(error: Error): Promise<never> {
    if (this.#source === undefined || !(error instanceof TypeError)) return super.catch(error);
    throw new FairleadError(
      'E_DUMP_INVALID',
      `${this.#source} has the sections of a config dump, but not what belongs in them: ${error.message}`,
      {
        next: 'Save one with `curl HOST:15000/config_dump?include_eds`, or `fairlead proxy-config all -o json`.',
        cause: error,
      },
    );
  }
}
