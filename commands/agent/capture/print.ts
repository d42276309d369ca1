import { BaseCommand } from '../../../src/cli/base-command.ts';
import { captureFlags, captureSettings } from '../../../src/cli/capture-flags.ts';
import { ruleset } from '../../../src/install/capture/ruleset.ts';

export default class AgentCapturePrint extends BaseCommand {
  static override summary = 'Print the rules of agent capture apply, for nft -f.';
  static override description =
    'Needs no rights and no nft. Where IPv6 is on, agent capture apply gives loopback the address ::6 besides, from which the proxy calls its application.';
  static override examples = ['<%= config.bin %> agent capture print --proxy-user 10001 > /etc/nftables.d/fairlead.nft'];
  static override flags = captureFlags;

  async run(): Promise<{ ruleset: string }> {
    const { flags } = await this.parse(AgentCapturePrint);
    return this.print({ ruleset: ruleset(captureSettings(flags)) }, undefined, ({ ruleset }) => ruleset);
  }
}
