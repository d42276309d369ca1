import { BaseCommand } from '../../src/cli/base-command.ts';
import * as flags from '../../src/cli/flags.ts';
import { namespaceFlag } from '../../src/cli/install-flags.ts';
import { tagArgument, targetOf, toRevision } from '../../src/cli/tag-flags.ts';
import type { Manifest } from '../../src/install/objects/object.ts';

export default class TagGenerate extends BaseCommand {
  static override summary = 'Print the objects of a revision tag, for kubectl or GitOps; no cluster is asked.';
  static override description = 'The CA’s roots are not in it: the server of the revision’s webhooks keeps them there.';
  static override examples = ['<%= config.bin %> tag generate prod --revision canary > prod.yaml'];
  static override args = tagArgument;
  static override flags = { ...toRevision, ...namespaceFlag, output: flags.output('yaml', 'json') };

  async run(): Promise<Manifest[]> {
    const { args, flags } = await this.parse(TagGenerate);
    const [{ tagManifests }, { refuseOwnName }, { manifestText }] = await Promise.all([
      import('../../src/install/tags/tag-objects.ts'),
      import('../../src/install/tags/change-tags.ts'),
      import('../../src/output/install.ts'),
    ]);
    const target = targetOf(args.tag as string, flags);
    refuseOwnName(target);
    // As one YAML list kubectl would not take it.
    return this.print(tagManifests(target, this.config.version), flags.output === 'json' ? 'json' : undefined, manifestText);
  }
}
