import { BaseCommand } from '../../src/cli/base-command.ts';
import * as flags from '../../src/cli/flags.ts';
import { contextFlag, withCluster } from '../../src/cli/install-flags.ts';
import type { ShownTag } from '../../src/output/tags.ts';

export default class TagList extends BaseCommand {
  static override summary = 'List revision tags: where they lead, and which namespaces follow them.';
  static override examples = ['<%= config.bin %> tag list', '<%= config.bin %> tag list -o json'];
  static override flags = { ...contextFlag, output: flags.output('text', 'json', 'yaml') };

  async run(): Promise<readonly ShownTag[]> {
    const { flags } = await this.parse(TagList);
    const [{ followersOf, listTags }, { listInventories }, { revisionText }, { tagsText }] = await Promise.all([
      import('../../src/install/tags/live-tags.ts'),
      import('../../src/install/live/inventory.ts'),
      import('../../src/install/tags/change-tags.ts'),
      import('../../src/output/tags.ts'),
    ]);
    const tags = await withCluster(flags.context, async (client) => {
      const installed = await listInventories(client);
      return Promise.all(
        (await listTags(client)).map(async ({ tag, revision, namespace, problem }): Promise<ShownTag> => {
          const there = installed.some((one) => one.revision === revision && one.namespace === namespace && !one.removed);
          const why = there ? problem : `revision ${revisionText(revision)} is not installed in ${namespace}, so nobody answers`;
          const namespaces = await followersOf(client, tag);
          return { tag, revision: revisionText(revision), namespaces, ...(why === undefined ? {} : { problem: why }) };
        }),
      );
    });
    return this.print(tags, flags.output, tagsText);
  }
}
