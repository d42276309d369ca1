import { BaseCommand } from '../../src/cli/base-command.ts';
import * as flags from '../../src/cli/flags.ts';
import type { SettingsFile } from '../../src/install/settings/schema.ts';

export default class ManifestProfiles extends BaseCommand {
  static override summary = 'List the profiles: what settings begin with.';
  static override examples = ['<%= config.bin %> manifest profiles', '<%= config.bin %> manifest profiles -o yaml'];
  static override flags = { output: flags.output('text', 'json', 'yaml') };

  async run(): Promise<{ name: string; description: string; settings: SettingsFile }[]> {
    const { flags } = await this.parse(ManifestProfiles);
    const [{ profiles }, { columns }] = await Promise.all([
      import('../../src/install/settings/profiles.ts'),
      import('../../src/output/columns.ts'),
    ]);
    const all = Object.entries(profiles).map(([name, { description, settings }]) => ({ name, description, settings }));
    return this.print(all, flags.output, () =>
      columns([['PROFILE', 'WHAT IT IS'], ...all.map(({ name, description }) => [name, description])]),
    );
  }
}
