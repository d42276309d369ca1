import type { BootstrapJson } from '#envoy-api/envoy/config/bootstrap/v3/bootstrap_pb.js';
import { connect } from '../../agent/connect.ts';
import * as flags from '../../src/cli/flags.ts';
import { ProxyConfigCommand } from '../../src/cli/proxy-config-command.ts';
import { proxyArgs, proxyFlags } from '../../src/cli/proxy-source.ts';
import { bootstrapOf } from '../../src/envoy/dump/resources.ts';
import { bootstrapSummary } from '../../src/output/proxy-config/bootstrap.ts';

export default class ProxyConfigBootstrap extends ProxyConfigCommand {
  static override aliases = ['proxy-config:b', 'pc:bootstrap', 'pc:b'];
  static override summary = 'Show what a proxy was started with.';
  static override examples = [
    '<%= config.bin %> proxy-config bootstrap web',
    '<%= config.bin %> pc b --file config_dump.json -o short',
    '<%= config.bin %> pc bootstrap -k web-6f7d9.shop',
  ];
  static override args = proxyArgs;
  static override flags = { ...proxyFlags, output: flags.output('short', 'json', 'yaml') };

  async run(): Promise<BootstrapJson> {
    const { args, flags } = await this.parse(ProxyConfigBootstrap);
    const source = await this.open(flags, args, connect);
    // istioctl: JSON unless said otherwise.
    return this.print(bootstrapOf(await source.dump()), flags.output ?? 'json', bootstrapSummary);
  }
}
