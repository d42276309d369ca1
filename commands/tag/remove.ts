import * as Flags from '@oclif/core/flags';
import { confirm } from '../../src/cli/confirm.ts';
import * as flags from '../../src/cli/flags.ts';
import { InstallCommand, type InstallResult, resultOf } from '../../src/cli/install-command.ts';
import { contextFlag, withCluster } from '../../src/cli/install-flags.ts';
import { tagArgument } from '../../src/cli/tag-flags.ts';

export default class TagRemove extends InstallCommand {
  static override summary = 'Take a revision tag away; asks first when namespaces still follow it.';
  static override examples = ['<%= config.bin %> tag remove prod', '<%= config.bin %> tag remove default --yes'];
  static override args = tagArgument;
  static override flags = {
    ...contextFlag,
    'dry-run': Flags.boolean({ description: 'only show what would go' }),
    yes: Flags.boolean({ char: 'y', description: 'do not ask' }),
    output: flags.output('text', 'json', 'yaml'),
  };

  async run(): Promise<InstallResult> {
    const { args, flags } = await this.parse(TagRemove);
    const tag = args.tag as string;
    return withCluster(flags.context, async (client) => {
      const [{ planTagRemoval, removeTag, revisionText }, { followersOf }, { planText }, { refText }] = await Promise.all([
        import('../../src/install/tags/change-tags.ts'),
        import('../../src/install/tags/live-tags.ts'),
        import('../../src/output/install.ts'),
        import('../../src/install/objects/object.ts'),
      ]);
      const { plan, before } = await planTagRemoval(client, tag);
      const followers = await followersOf(client, tag);
      process.stderr.write(planText(plan.objects, this.errorColor));
      const result = resultOf(plan, { revision: before.revision, version: before.version ?? '', dryRun: flags['dry-run'] });
      const many = followers.length === 1 ? 'follows' : 'follow';
      // The installation without a revision has the name default of itself.
      const what =
        tag === 'default'
          ? `${followers.join(', ')} ${many} default, and would get sidecars of the installation without a revision`
          : `${followers.join(', ')} still ${many} ${tag}: new pods there would get no sidecars`;
      if (flags['dry-run']) return await this.print(result, flags.output, () => (followers.length > 0 ? what : 'nobody follows it'));
      if (followers.length > 0) await confirm(what, flags.yes);
      await removeTag(client, plan, ({ ref }) => this.say(`deleted ${refText(ref)}`));
      return await this.print(result, flags.output, () => `${tag} leads to revision ${revisionText(before.revision)} no more`);
    });
  }
}
