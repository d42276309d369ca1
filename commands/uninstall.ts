import * as Flags from '@oclif/core/flags';
import { confirm } from '../src/cli/confirm.ts';
import * as flags from '../src/cli/flags.ts';
import { type HostResult, rootOf, targetFlags, uninstallHost } from '../src/cli/host-install.ts';
import { InstallCommand, type InstallResult, resultOf } from '../src/cli/install-command.ts';
import { contextFlag, DEFAULT_NAMESPACE, namespaceFlag, revisionFlag, withCluster } from '../src/cli/install-flags.ts';
import { FairleadError } from '../src/errors.ts';

export default class Uninstall extends InstallCommand {
  static override summary = 'Take an installation away: what its inventory names, and nothing else.';
  static override description =
    `Definitions, the CA’s volume and the namespace stay unless --purge is given. A definition that has objects stays even then, unless
--purge-objects is given; a namespace that has anything else in it always stays.`;
  static override examples = [
    '<%= config.bin %> uninstall --dry-run',
    '<%= config.bin %> uninstall --purge',
    '<%= config.bin %> uninstall -r canary',
  ];
  static override flags = {
    ...namespaceFlag,
    ...revisionFlag,
    ...contextFlag,
    ...targetFlags,
    purge: Flags.boolean({ description: 'the definitions, the volume with the CA’s keys and the namespace too' }),
    'purge-objects': Flags.boolean({ description: 'definitions with all objects of their kinds', dependsOn: ['purge'] }),
    'dry-run': Flags.boolean({ description: 'only show what would go' }),
    yes: Flags.boolean({ char: 'y', description: 'do not ask' }),
    output: flags.output('text', 'json', 'yaml'),
  };

  async run(): Promise<HostResult | InstallResult> {
    const { flags } = await this.parse(Uninstall);
    const root = rootOf(flags);
    if (flags.target === 'systemd') {
      const { 'dry-run': dryRun, yes, purge } = flags;
      const options = { root, version: this.config.version, dryRun, yes, purge, say: this.say, color: this.errorColor };
      return this.print(await uninstallHost(options), flags.output, ({ version }) =>
        dryRun ? 'nothing was done' : `fairlead ${version} is uninstalled from ${root}`,
      );
    }
    const namespace = flags.namespace ?? DEFAULT_NAMESPACE;
    const revision = flags.revision ?? '';
    return withCluster(flags.context, async (client) => {
      const [
        { listInventories, readInventory, unionOf },
        { executeUninstall, planUninstall },
        { countText, planText },
        { refText },
        { tagsOf },
        { tagRefs },
      ] = await Promise.all([
        import('../src/install/live/inventory.ts'),
        import('../src/install/live/uninstall.ts'),
        import('../src/output/install.ts'),
        import('../src/install/objects/object.ts'),
        import('../src/install/tags/change-tags.ts'),
        import('../src/install/tags/tag-objects.ts'),
      ]);
      const inventory = await readInventory(client, namespace, revision);
      if (inventory === undefined || (inventory.removed && !flags.purge))
        throw new FairleadError(
          'E_INSTALL_MISSING',
          `nothing${revision === '' ? '' : ` of revision ${revision}`} is installed in ${namespace}`,
          {
            next:
              inventory === undefined
                ? 'Say where it is with --namespace.'
                : 'Only what an uninstall keeps is left; --purge removes that too.',
          },
        );
      const others = (await listInventories(client)).filter((other) => other.namespace !== namespace || other.revision !== revision);
      const dependents = revision === '' ? others.filter((other) => other.namespace === namespace && !other.removed) : [];
      if (dependents.length > 0)
        throw new FairleadError(
          'E_INSTALL_REFUSED',
          `revision ${dependents.map((other) => other.revision).join(', ')} needs this installation’s CA`,
          {
            next: 'Uninstall the revisions first.',
          },
        );
      const tags = (await tagsOf(client, { namespace, revision })).map(({ tag }) => tag);
      if (revision !== '' && tags.length > 0)
        throw new FairleadError('E_INSTALL_REFUSED', `the tag ${tags.join(', ')} leads to revision ${revision}`, {
          next: `Move it first: \`fairlead tag set ${tags[0]} --revision NAME --overwrite\`, or take it away: \`fairlead tag remove ${tags[0]}\`.`,
        });
      // Made by `tag set`, and no use without the installation.
      const whole = { ...inventory, objects: unionOf(inventory.objects, tags.flatMap(tagRefs)) };
      const plan = await planUninstall(client, whole, { purge: flags.purge, purgeObjects: flags['purge-objects'], others });
      process.stderr.write(planText(plan.objects, this.errorColor));
      const result = resultOf(plan, { revision, version: inventory.version, dryRun: flags['dry-run'] });
      const changes = countText(plan.objects);
      if (flags['dry-run']) return await this.print(result, flags.output, () => `this ${changes ?? 'changes nothing'}; nothing was done`);
      await confirm(`This ${changes ?? 'changes nothing'} in ${client.context}`, flags.yes);
      await executeUninstall(client, whole, plan, ({ action, ref }) =>
        this.say(`${action === 'delete' ? 'deleted' : 'released'} ${refText(ref)}`),
      );
      return await this.print(result, flags.output, () => `fairlead ${inventory.version} is uninstalled from ${namespace}`);
    });
  }
}
