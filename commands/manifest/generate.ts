import { BaseCommand } from '../../src/cli/base-command.ts';
import * as flags from '../../src/cli/flags.ts';
import { filesOf, targetFlags } from '../../src/cli/host-install.ts';
import { namespaceFlag, revisionFlag, settingsFlags, settingsFrom } from '../../src/cli/install-flags.ts';
import type { HostFile } from '../../src/install/host/host-files.ts';
import type { Manifest } from '../../src/install/objects/object.ts';

export default class ManifestGenerate extends BaseCommand {
  static override summary = 'Print the objects of an installation, for kubectl or GitOps; no cluster is asked.';
  static override examples = [
    '<%= config.bin %> manifest generate -f settings.yaml > fairlead.yaml',
    '<%= config.bin %> manifest generate --profile minimal -o json',
    '<%= config.bin %> manifest generate --target systemd',
  ];
  static override flags = {
    ...settingsFlags,
    ...namespaceFlag,
    ...revisionFlag,
    target: targetFlags.target,
    output: flags.output('yaml', 'json'),
  };

  async run(): Promise<Manifest[] | HostFile[]> {
    const { flags } = await this.parse(ManifestGenerate);
    const { version } = this.config;
    if (flags.target === 'systemd') {
      const { files } = await filesOf((await settingsFrom(flags, version)).file);
      return this.print(files, flags.output === 'json' ? 'json' : undefined, (all) =>
        all.map(({ path, text }) => `# ${path}\n${text}`).join('\n'),
      );
    }
    const [{ settings }, { manifestsOf }, { manifestText }] = await Promise.all([
      settingsFrom(flags, version),
      import('../../src/install/manifests.ts'),
      import('../../src/output/install.ts'),
    ]);
    // As one YAML list kubectl would not take it.
    return this.print(manifestsOf(settings, version), flags.output === 'json' ? 'json' : undefined, manifestText);
  }
}
