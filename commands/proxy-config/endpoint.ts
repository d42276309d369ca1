import { connect } from '../../agent/connect.ts';
import { endpointFlags } from '../../src/cli/endpoint-flags.ts';
import * as flags from '../../src/cli/flags.ts';
import { ProxyConfigCommand } from '../../src/cli/proxy-config-command.ts';
import { proxyArgs, proxyFlags } from '../../src/cli/proxy-source.ts';
import { endpointsOf } from '../../src/envoy/dump/resources.ts';
import { endpointTable, selectAssignments, selectStatuses } from '../../src/output/proxy-config/endpoint.ts';
import { formatTable } from '../../src/output/table.ts';

export default class ProxyConfigEndpoint extends ProxyConfigCommand {
  static override aliases = ['endpoints', 'ep']
    .map((n) => `proxy-config:${n}`)
    .concat(['endpoint', 'endpoints', 'ep'].map((n) => `pc:${n}`));
  static override summary = 'Show the endpoints that a proxy sends to, with their health.';
  static override description =
    'Of a live proxy: what it uses now, ejected endpoints marked FAILED. From configuration or a dump: what it is configured with.';
  static override examples = [
    '<%= config.bin %> proxy-config endpoint web --cluster "outbound|80||reviews.default.svc.cluster.local"',
    '<%= config.bin %> pc ep web -f mesh/ --status unhealthy',
    '<%= config.bin %> pc ep -k deployment/web.shop --status unhealthy',
  ];
  static override args = proxyArgs;
  static override flags = {
    ...proxyFlags,
    output: flags.output('short', 'json', 'yaml'),
    ...endpointFlags,
  };

  async run(): Promise<readonly object[]> {
    const { args, flags } = await this.parse(ProxyConfigEndpoint);
    const source = await this.open(flags, args, connect);
    const statuses = await source.clusterStatuses();
    if (statuses) {
      return this.print(selectStatuses(statuses, flags), flags.output, () => formatTable(endpointTable(statuses, flags)));
    }
    const assignments = endpointsOf(await source.dump());
    return this.print(selectAssignments(assignments, flags), flags.output, () => formatTable(endpointTable(assignments, flags)));
  }
}
