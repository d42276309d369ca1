import * as Flags from '@oclif/core/flags';
import type { ConfigDumpJson } from '#envoy-api/envoy/admin/v3/config_dump_pb.js';
import { connect } from '../../agent/connect.ts';
import * as flags from '../../src/cli/flags.ts';
import { ProxyConfigCommand } from '../../src/cli/proxy-config-command.ts';
import { proxyArgs, proxyFlags } from '../../src/cli/proxy-source.ts';
import { packSections } from '../../src/envoy/dump/config-dump.ts';

export default class ProxyConfigAll extends ProxyConfigCommand {
  static override aliases = ['proxy-config:a', 'pc:all', 'pc:a'];
  static override summary = 'Show all of a proxy’s config: bootstrap, clusters, listeners, routes, secrets and endpoints.';
  static override description = 'With -o json the whole config dump, as --file reads it.';
  static override examples = [
    '<%= config.bin %> proxy-config all web -f mesh/ --with-headers',
    '<%= config.bin %> pc all web.default -o json > config_dump.json',
    '<%= config.bin %> pc all -k web-6f7d9.shop -o json',
  ];
  static override args = proxyArgs;
  static override flags = {
    ...proxyFlags,
    output: flags.output('short', 'json', 'yaml'),
    'with-headers': Flags.boolean({ description: 'a title before each table' }),
  };

  async run(): Promise<ConfigDumpJson> {
    const { args, flags } = await this.parse(ProxyConfigAll);
    const source = await this.open(flags, args, connect);
    const [dump, { allText }] = await Promise.all([source.dump(), import('../../src/output/proxy-config/all.ts')]);
    return this.print(packSections(dump.sections), flags.output, () => allText(dump, flags['with-headers'], new Date()));
  }
}
