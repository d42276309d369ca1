import * as Flags from '@oclif/core/flags';
import { removeCapture } from '../../../agent/capture.ts';
import { BaseCommand } from '../../../src/cli/base-command.ts';
import { removal } from '../../../src/install/capture/ruleset.ts';

export default class AgentCaptureRemove extends BaseCommand {
  static override summary = 'Take the rules of agent capture apply away; nothing of them is left.';
  static override description =
    'Connections that were captured stay with the proxy until they end; new ones go past it. Nothing to take away is no error.';
  static override examples = ['<%= config.bin %> agent capture remove'];
  static override flags = { 'dry-run': Flags.boolean({ description: 'only show what nft would be told' }) };

  async run(): Promise<{ removed: boolean }> {
    const { flags } = await this.parse(AgentCaptureRemove);
    const dryRun = flags['dry-run'];
    await removeCapture({ check: dryRun });
    return this.print({ removed: !dryRun }, undefined, () => (dryRun ? removal() : 'connections are not captured any more'));
  }
}
