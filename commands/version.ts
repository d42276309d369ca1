import { BaseCommand } from '../src/cli/base-command.ts';
import * as flags from '../src/cli/flags.ts';

export default class Version extends BaseCommand {
  static override summary = 'Show the version of Fairlead and of what it runs on.';
  static override examples = ['<%= config.bin %> version', '<%= config.bin %> version -o json'];
  static override flags = { output: flags.output('short', 'json', 'yaml') };

  async run(): Promise<{ version: string; node: string; platform: string }> {
    const { flags } = await this.parse(Version);
    const result = { version: this.config.version, node: process.versions.node, platform: `${process.platform}-${process.arch}` };
    return this.print(result, flags.output, (r) =>
      flags.output === 'short' ? r.version : `fairlead ${r.version} (node ${r.node}, ${r.platform})`,
    );
  }
}
