import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../../src/cli/base-command.ts';
import * as flags from '../../src/cli/flags.ts';
import { contextFlag, namespaceFlag, revisionFlag, settingsFlags, settingsFrom, withCluster } from '../../src/cli/install-flags.ts';
import { EXIT } from '../../src/errors.ts';
import { type Manifest, refKey, refOf } from '../../src/install/objects/object.ts';
import type { Settings } from '../../src/install/settings/resolve.ts';
import type { ShownObject } from '../../src/output/install.ts';

export default class ManifestDiff extends BaseCommand {
  static override summary = 'Compare what settings make with what a cluster has, or with what other settings make.';
  static override description =
    'The API server is asked with a dry run, so that its defaults are no differences. Exit code 1 when there are any.';
  static override examples = [
    '<%= config.bin %> manifest diff -f settings.yaml',
    '<%= config.bin %> manifest diff -f settings.yaml --against old-settings.yaml',
  ];
  static override flags = {
    ...settingsFlags,
    ...namespaceFlag,
    ...revisionFlag,
    ...contextFlag,
    against: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'FILE',
      description: 'settings to compare with, in place of the cluster',
      exclusive: ['context'],
    }),
    output: flags.output('text', 'json', 'yaml'),
  };

  async run(): Promise<readonly ShownObject[]> {
    const { flags } = await this.parse(ManifestDiff);
    const { version } = this.config;
    const [{ settings }, { manifestsOf }, { diffText }] = await Promise.all([
      settingsFrom(flags, version),
      import('../../src/install/manifests.ts'),
      import('../../src/output/install.ts'),
    ]);
    let objects: readonly ShownObject[];
    if (flags.against === undefined) {
      objects = await this.live(settings, (now) => manifestsOf(now, version), flags.context);
    } else {
      const other = await settingsFrom({ ...flags, file: flags.against, set: [], profile: undefined }, version);
      objects = compared(manifestsOf(other.settings, version), manifestsOf(settings, version));
    }
    const differing = objects.filter(({ action }) => !['same', 'left', 'keep'].includes(action));
    if (differing.length > 0) process.exitCode = EXIT.findings;
    return this.print(differing, flags.output, () => diffText(differing, this.color));
  }

  private async live(
    settings: Settings,
    manifestsOf: (settings: Settings) => readonly Manifest[],
    context: string | undefined,
  ): Promise<readonly ShownObject[]> {
    const [{ planInstall }, { listInventories }, { whileKeysMove }] = await Promise.all([
      import('../../src/install/live/plan.ts'),
      import('../../src/install/live/inventory.ts'),
      import('../../src/install/live/ca-volume.ts'),
    ]);
    const { namespace, revision } = settings;
    return withCluster(context, async (client) => {
      const all = await listInventories(client, namespace);
      const inventory = all.find((one) => one.revision === revision);
      const others = all.filter((one) => one.revision !== revision);
      const manifests = manifestsOf((await whileKeysMove(client, settings)) ?? settings);
      return (await planInstall(client, manifests, { namespace, force: false, inventory, others })).objects;
    });
  }
}

function compared(before: readonly Manifest[], after: readonly Manifest[]): ShownObject[] {
  const old = new Map(before.map((manifest) => [refKey(refOf(manifest)), manifest]));
  const objects: ShownObject[] = after.map((manifest) => {
    const key = refKey(refOf(manifest));
    const found = old.get(key);
    old.delete(key);
    const action = found === undefined ? 'create' : JSON.stringify(found) === JSON.stringify(manifest) ? 'same' : 'change';
    return { ref: refOf(manifest), action, conflicts: [], ...(found === undefined ? {} : { before: found }), after: manifest };
  });
  return [
    ...objects,
    ...[...old.values()].map((manifest) => ({ ref: refOf(manifest), action: 'delete', conflicts: [], before: manifest })),
  ];
}
