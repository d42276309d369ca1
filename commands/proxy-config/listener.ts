import * as Flags from '@oclif/core/flags';
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import { connect } from '../../agent/connect.ts';
import * as flags from '../../src/cli/flags.ts';
import { ProxyConfigCommand } from '../../src/cli/proxy-config-command.ts';
import { proxyArgs, proxyFlags } from '../../src/cli/proxy-source.ts';
import { listenersOf } from '../../src/envoy/dump/resources.ts';
import { listenerTable, selectListeners } from '../../src/output/proxy-config/listener.ts';
import { formatTable } from '../../src/output/table.ts';

export default class ProxyConfigListener extends ProxyConfigCommand {
  static override aliases = ['listeners', 'l'].map((n) => `proxy-config:${n}`).concat(['listener', 'listeners', 'l'].map((n) => `pc:${n}`));
  static override summary = 'Show the listeners of a proxy: what it accepts, and where that goes.';
  static override examples = [
    '<%= config.bin %> proxy-config listener web -f mesh/',
    '<%= config.bin %> pc l web.default --port 80',
    '<%= config.bin %> pc listeners --file config_dump.json -o json',
    '<%= config.bin %> pc l -k web-6f7d9.shop --port 80',
  ];
  static override args = proxyArgs;
  static override flags = {
    ...proxyFlags,
    output: flags.output('short', 'json', 'yaml'),
    address: Flags.string({ helpValue: 'ADDRESS', description: 'only listeners on this address' }),
    port: Flags.integer({ helpValue: 'PORT', min: 0, max: 65535, description: 'only listeners on this port' }),
    type: flags.oneOf('type', ['HTTP', 'TCP', 'HTTP+TCP', 'UNKNOWN'], 'only listeners of this type'),
    verbose: Flags.boolean({ default: true, allowNo: true, description: 'a row for each filter chain, not for each listener' }),
  };

  async run(): Promise<ListenerJson[]> {
    const { args, flags } = await this.parse(ProxyConfigListener);
    const source = await this.open(flags, args, connect);
    const listeners = selectListeners(listenersOf(await source.dump()), flags);
    return this.print(listeners, flags.output, (l) => formatTable(listenerTable(l, {}, flags.verbose)));
  }
}
