import * as Flags from '@oclif/core/flags';
import { type HostResult, rootOf, targetFlags } from '../src/cli/host-install.ts';
import { InstallCommand, type InstallResult, installFlags } from '../src/cli/install-command.ts';
import { namespaceFrom, settingsFrom, withCluster } from '../src/cli/install-flags.ts';
import { FairleadError } from '../src/errors.ts';

export default class Upgrade extends InstallCommand {
  static override summary = 'Bring an installation to this version, or to other settings.';
  static override description =
    `The settings that it was installed with stay; -f and --set go before them. What this version does not have any more is removed, but for
definitions, the CA’s volume and the namespace. Everything else is as with \`install\`.`;
  static override examples = [
    '<%= config.bin %> upgrade --dry-run',
    '<%= config.bin %> upgrade --set gateways.ingressgateway.replicas.max=10',
    '<%= config.bin %> upgrade --reset-settings -f settings.yaml',
  ];
  static override flags = {
    ...installFlags,
    ...targetFlags,
    'reset-settings': Flags.boolean({ description: 'begin with the profile, not with the settings of the installation' }),
  };

  async run(): Promise<HostResult | InstallResult> {
    const { flags } = await this.parse(Upgrade);
    const root = rootOf(flags);
    if (flags.target === 'systemd')
      return this.applyHost(
        'upgrade',
        root,
        flags,
        async (stored) => (await settingsFrom(flags, this.config.version, flags['reset-settings'] ? undefined : stored)).file,
      );
    const namespace = await namespaceFrom(flags, this.config.version);
    return withCluster(flags.context, async (client) => {
      const { readInventory } = await import('../src/install/live/inventory.ts');
      const inventory = await readInventory(client, namespace, flags.revision ?? '');
      if (inventory === undefined || inventory.removed)
        throw new FairleadError('E_INSTALL_MISSING', `there is nothing to upgrade in ${namespace}`, {
          next: '`fairlead install` makes an installation; --namespace and --revision say which one is meant.',
        });
      const stored = flags['reset-settings'] ? undefined : inventory.settings;
      const read = await settingsFrom({ ...flags, namespace }, this.config.version, stored);
      if (inventory.version !== this.config.version) this.say(`from version ${inventory.version} to ${this.config.version}`);
      await this.requireBase(client, namespace, read.settings.revision);
      return await this.apply(client, read, inventory, flags);
    });
  }
}
