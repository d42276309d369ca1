import { closest, distance } from 'fastest-levenshtein';
import { argument } from '../src/cli/argument.ts';
import { BaseCommand } from '../src/cli/base-command.ts';
import * as flags from '../src/cli/flags.ts';
import { FairleadError } from '../src/errors.ts';

export default class Schema extends BaseCommand {
  static override summary = 'Print the JSON Schema of a kind, for editors.';
  static override description =
    'Without a kind: the list of kinds. Names as kubectl takes them: VirtualService, virtualservices, vs. mesh-test: that of route tests; install: that of an installation’s settings.';
  static override examples = [
    '<%= config.bin %> schema',
    '<%= config.bin %> schema vs > virtual-service.schema.json',
    '<%= config.bin %> schema mesh-test',
    '<%= config.bin %> schema install',
  ];
  static override args = { kind: argument('KIND', 'kind, plural or short name') };
  static override flags = { output: flags.output('json', 'yaml') };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Schema);
    if (args.kind === 'mesh-test') {
      const { plainDocument } = await import('../src/config/kinds/schema-document.ts');
      const { testFileSchema } = await import('../src/explain/test/schema.ts');
      return this.print(plainDocument('Route tests', testFileSchema), flags.output ?? 'json', () => '');
    }
    if (args.kind === 'install') {
      const { plainDocument } = await import('../src/config/kinds/schema-document.ts');
      const { settingsSchema } = await import('../src/install/settings/schema.ts');
      return this.print(plainDocument('Settings of an installation', settingsSchema), flags.output ?? 'json', () => '');
    }
    const { kindByName, kinds, schemaDocument } = await import('../src/config/kinds/registry.ts');
    if (args.kind === undefined) {
      const { columns } = await import('../src/output/columns.ts');
      const list = kinds.map((k) => ({
        kind: k.kind,
        group: k.group,
        versions: k.versions,
        shortNames: k.shortNames,
        description: k.description,
      }));
      return this.print(list, flags.output, () =>
        columns([
          ['KIND', 'GROUP', 'VERSIONS', 'SHORT NAMES'],
          ...kinds.map((k) => [k.kind, k.group || 'core', k.versions.join(','), k.shortNames.join(',')]),
        ]),
      );
    }
    const kind = kindByName(args.kind);
    if (kind) return this.print(schemaDocument(kind), flags.output ?? 'json', () => '');
    const near = closest(
      args.kind,
      kinds.map((k) => k.kind),
    );
    const advice = distance(args.kind.toLowerCase(), near.toLowerCase()) <= near.length / 3 ? `Did you mean ${near}? ` : '';
    throw new FairleadError('E_KIND_UNKNOWN', `there is no kind ${JSON.stringify(args.kind)}`, {
      next: `${advice}\`fairlead schema\` lists them all.`,
    });
  }
}
