import type { TypedExtensionConfigJson } from '#envoy-api/envoy/config/core/v3/extension_pb.js';
import { connect } from '../../agent/connect.ts';
import * as flags from '../../src/cli/flags.ts';
import { ProxyConfigCommand } from '../../src/cli/proxy-config-command.ts';
import { proxyArgs, proxyFlags } from '../../src/cli/proxy-source.ts';
import { section } from '../../src/envoy/dump/read-dump.ts';
import { ecdsTable, extensionsOf } from '../../src/output/proxy-config/ecds.ts';
import { formatTable } from '../../src/output/table.ts';

export default class ProxyConfigEcds extends ProxyConfigCommand {
  static override aliases = ['pc:ecds'];
  static override summary = 'Show the filters of a proxy whose config comes by itself (ECDS).';
  static override examples = ['<%= config.bin %> proxy-config ecds --file config_dump.json', '<%= config.bin %> pc ecds -k web-6f7d9.shop'];
  static override args = proxyArgs;
  static override flags = { ...proxyFlags, output: flags.output('short', 'json', 'yaml') };

  async run(): Promise<TypedExtensionConfigJson[]> {
    const { args, flags } = await this.parse(ProxyConfigEcds);
    const source = await this.open(flags, args, connect);
    const dump = await source.dump();
    // Envoy writes the section only when some filter is configured so: without it there is none.
    const none = dump.sections.ecds === undefined && dump.clusterStatuses === undefined;
    const extensions = none ? {} : section(dump, 'ecds');
    return this.print(extensionsOf(extensions), flags.output, () => formatTable(ecdsTable(extensions)));
  }
}
