/** What the commands that read one proxy's config share. */
import { BaseCommand } from './base-command.ts';
import { type AdminClient, type ProxyChoice, type ProxySource, proxySource } from './proxy-source.ts';

export abstract class ProxyConfigCommand extends BaseCommand {
  /**
   * Opens the source that the command line names.
   * @param connect makes the agent's client: commands bring it along, because src does not know the agent
   */
  protected open(
    flags: ProxyChoice,
    args: { proxy?: string | undefined },
    connect: (address: string | undefined) => Promise<AdminClient>,
  ): Promise<ProxySource> {
    return proxySource(
      { ...flags, proxy: flags.proxy ?? args.proxy },
      {
        connect: () => connect(flags.agent),
        warn: (text) => process.stderr.write(`warning: ${text}\n`),
        version: this.config.version,
      },
    );
  }
}
