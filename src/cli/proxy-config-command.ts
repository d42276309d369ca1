/** What the commands that read one proxy's config share. */
import { FairleadError } from '../errors.ts';
import { BaseCommand } from './base-command.ts';
import { type AdminClient, type ProxyChoice, type ProxySource, proxySource } from './proxy-source.ts';

export abstract class ProxyConfigCommand extends BaseCommand {
  #file: string | undefined;

  /**
   * Opens the source that the command line names.
   * @param connect makes the agent's client: commands bring it along, because src does not know the agent
   */
  protected open(
    flags: ProxyChoice,
    args: { proxy?: string | undefined },
    connect: (address: string | undefined) => Promise<AdminClient>,
  ): Promise<ProxySource> {
    this.#file = flags.file;
    return proxySource(
      { ...flags, proxy: flags.proxy ?? args.proxy },
      {
        connect: () => connect(flags.agent),
        warn: (text) => process.stderr.write(`warning: ${text}\n`),
        version: this.config.version,
      },
    );
  }

  /** A file can have a dump's sections and other things in them than a dump's. */
  protected override async catch(error: Error): Promise<never> {
    if (this.#file === undefined || !(error instanceof TypeError)) return super.catch(error);
    const name = this.#file === '-' ? 'standard input' : this.#file;
    throw new FairleadError('E_DUMP_INVALID', `${name} has the sections of a config dump, but not what belongs in them: ${error.message}`, {
      next: 'Save one with `curl HOST:15000/config_dump?include_eds`, or `fairlead proxy-config all -o json`.',
      cause: error,
    });
  }
}
