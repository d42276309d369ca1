import { envoyCandidates, installedEnvoys } from '../../agent/envoy-binaries.ts';
import { BaseCommand } from '../../src/cli/base-command.ts';
import * as flags from '../../src/cli/flags.ts';
import { envoyListText, type ShownEnvoy } from '../../src/output/envoys.ts';

export default class EnvoyList extends BaseCommand {
  static override summary = 'Show the installed Envoys, and which one is taken.';
  static override examples = ['<%= config.bin %> envoy list', '<%= config.bin %> envoy list -o json'];
  static override flags = { output: flags.output('table', 'json', 'yaml') };

  async run(): Promise<ShownEnvoy[]> {
    const { flags } = await this.parse(EnvoyList);
    const [taken] = envoyCandidates();
    const list = installedEnvoys().map((e) => ({ ...e, taken: e.path === taken?.path }));
    const elsewhere = taken && taken.from !== 'installed' ? taken : undefined;
    return this.print(list, flags.output, (l) => envoyListText(l, elsewhere));
  }
}
