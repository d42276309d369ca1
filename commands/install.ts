import * as Flags from '@oclif/core/flags';
import { type HostResult, rootOf, targetFlags } from '../src/cli/host-install.ts';
import { InstallCommand, type InstallResult, installFlags } from '../src/cli/install-command.ts';
import { settingsFrom, withCluster } from '../src/cli/install-flags.ts';
import type { DoctorReport } from '../src/doctor/types.ts';
import { EXIT, FairleadError } from '../src/errors.ts';

export default class Install extends InstallCommand {
  static override summary = 'Install Fairlead in a cluster: the CA, gateways, and the definitions of Istio’s kinds where they are missing.';
  static override description =
    `The API server is asked first what would change (a dry run); that is shown and confirmed before anything is done. Everything is applied
by the field manager fairlead; fields that others have set are shown, and only taken with --force-conflicts. What was made is kept in an inventory, by which upgrades prune and
\`uninstall\` removes. docs/install.md describes it.`;
  static override examples = [
    '<%= config.bin %> install --set image=registry.example.com/fairlead:0.1.0',
    '<%= config.bin %> install -f settings.yaml --dry-run',
    '<%= config.bin %> install --pre',
    '<%= config.bin %> install --revision canary',
  ];
  static override flags = {
    ...installFlags,
    ...targetFlags,
    pre: Flags.boolean({ description: 'only check whether it can be installed: versions, permissions, Istio', exclusive: ['dry-run'] }),
  };

  async run(): Promise<HostResult | InstallResult | DoctorReport> {
    const { flags } = await this.parse(Install);
    const root = rootOf(flags);
    if (flags.target === 'systemd')
      return this.applyHost('install', root, flags, async (stored) => (await settingsFrom(flags, this.config.version, stored)).file);
    const read = await settingsFrom(flags, this.config.version);
    const { namespace, revision } = read.settings;
    return withCluster(flags.context, async (client) => {
      if (flags.pre) {
        const [{ manifestsOf }, { doctorText }] = await Promise.all([
          import('../src/install/manifests.ts'),
          import('../src/output/doctor/text.ts'),
        ]);
        const report = await this.report(client, { settings: read.settings, manifests: manifestsOf(read.settings, this.config.version) });
        if (report.result !== 'ok') process.exitCode = report.result === 'broken' ? EXIT.failed : EXIT.findings;
        const canvas = { color: this.color, width: Math.max(40, process.stdout.columns ?? 100) };
        return await this.print(report, flags.output, (r) => doctorText(r, canvas));
      }
      const { readInventory } = await import('../src/install/live/inventory.ts');
      const inventory = await readInventory(client, namespace, revision);
      if (inventory !== undefined && !inventory.removed)
        throw new FairleadError(
          'E_INSTALL_EXISTS',
          `fairlead ${inventory.version}${revision === '' ? '' : ` revision ${revision}`} is installed in ${namespace} already`,
          {
            next: 'Change it with `fairlead upgrade`, which keeps its settings.',
          },
        );
      await this.requireBase(client, namespace, revision);
      return await this.apply(client, read, inventory, flags);
    });
  }
}
