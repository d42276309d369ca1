import type { ClusterLoadAssignmentJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import { connect } from '../../agent/connect.ts';
import { endpointFlags } from '../../src/cli/endpoint-flags.ts';
import * as flags from '../../src/cli/flags.ts';
import { ProxyConfigCommand } from '../../src/cli/proxy-config-command.ts';
import { proxyArgs, proxyFlags } from '../../src/cli/proxy-source.ts';
import { endpointsOf } from '../../src/envoy/dump/resources.ts';
import { edsTable, selectAssignments } from '../../src/output/proxy-config/endpoint.ts';
import { formatTable } from '../../src/output/table.ts';

export default class ProxyConfigEds extends ProxyConfigCommand {
  static override aliases = ['pc:eds'];
  static override summary = 'Show the endpoints that a proxy is configured with, with their locality.';
  static override examples = [
    '<%= config.bin %> proxy-config eds web -f mesh/',
    '<%= config.bin %> pc eds web.default --port 8080',
    '<%= config.bin %> pc eds -k web-6f7d9.shop',
  ];
  static override args = proxyArgs;
  static override flags = {
    ...proxyFlags,
    output: flags.output('short', 'json', 'yaml'),
    ...endpointFlags,
  };

  async run(): Promise<ClusterLoadAssignmentJson[]> {
    const { args, flags } = await this.parse(ProxyConfigEds);
    const source = await this.open(flags, args, connect);
    const assignments = endpointsOf(await source.dump());
    return this.print(selectAssignments(assignments, flags), flags.output, () => formatTable(edsTable(assignments, flags)));
  }
}
