import * as Flags from '@oclif/core/flags';
import * as flags from '../../src/cli/flags.ts';
import { InstallCommand, type InstallResult, resultOf } from '../../src/cli/install-command.ts';
import { withCluster } from '../../src/cli/install-flags.ts';
import { liveFlags, tagArgument, targetOf, toRevision } from '../../src/cli/tag-flags.ts';

export default class TagSet extends InstallCommand {
  static override summary = 'Have a tag lead to a revision: namespaces that follow it get that revision’s sidecars.';
  static override description =
    `A namespace follows a tag by the label istio.io/rev=TAG; the tag default also has those with istio-injection=enabled. Pods that run keep the sidecars that they
have: they change when they are made anew. What can be printed for GitOps is in \`tag generate\`.`;
  static override examples = [
    '<%= config.bin %> tag set prod --revision 1-2-0',
    '<%= config.bin %> tag set prod --revision canary --overwrite',
    '<%= config.bin %> tag set default --revision canary',
  ];
  static override args = tagArgument;
  static override flags = {
    ...toRevision,
    overwrite: Flags.boolean({ description: 'move it from another revision' }),
    ...liveFlags,
    output: flags.output('text', 'json', 'yaml'),
  };

  async run(): Promise<InstallResult> {
    const { args, flags } = await this.parse(TagSet);
    const target = targetOf(args.tag as string, flags);
    const { version } = this.config;
    return withCluster(flags.context, async (client) => {
      const [{ planTag, setTag, revisionText }, { followersOf }, { planText }, { refText }] = await Promise.all([
        import('../../src/install/tags/change-tags.ts'),
        import('../../src/install/tags/live-tags.ts'),
        import('../../src/output/install.ts'),
        import('../../src/install/objects/object.ts'),
      ]);
      const planned = await planTag(client, target, version, flags.overwrite);
      process.stderr.write(planText(planned.plan.objects, this.errorColor));
      const { tag, revision } = target;
      if (planned.otherVersion !== undefined)
        this.say(
          `warning: revision ${revisionText(revision)} is of fairlead ${planned.otherVersion}, and this is ${version}: its server may not know what the tag asks of it. Upgrade it, or take that version's command`,
        );
      const result = resultOf(planned.plan, { revision, version, dryRun: flags['dry-run'] });
      if (flags['dry-run']) return await this.print(result, flags.output, () => 'nothing was done');
      await setTag(client, target, planned, ({ action, ref }) =>
        this.say(`${action === 'create' ? 'created' : 'changed'} ${refText(ref)}`),
      );
      const followers = await followersOf(client, tag);
      const from =
        planned.before === undefined || planned.before.revision === revision ? '' : ` (before: ${revisionText(planned.before.revision)})`;
      const next =
        followers.length === 0
          ? `no namespace follows it yet: kubectl label namespace NAME istio.io/rev=${tag}`
          : `${followers.join(', ')} ${followers.length === 1 ? 'follows' : 'follow'} it; pods change when they are made anew: kubectl rollout restart deployment -n ${followers[0]}`;
      return await this.print(result, flags.output, () => `${tag} leads to revision ${revisionText(revision)}${from}\n${next}`);
    });
  }
}
