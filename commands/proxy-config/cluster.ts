import * as Flags from '@oclif/core/flags';
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import { connect } from '../../agent/connect.ts';
import * as flags from '../../src/cli/flags.ts';
import { ProxyConfigCommand } from '../../src/cli/proxy-config-command.ts';
import { proxyArgs, proxyFlags } from '../../src/cli/proxy-source.ts';
import { clustersOf } from '../../src/envoy/dump/resources.ts';
import { clusterTable, selectClusters } from '../../src/output/proxy-config/cluster.ts';
import { formatTable } from '../../src/output/table.ts';

export default class ProxyConfigCluster extends ProxyConfigCommand {
  static override aliases = ['clusters', 'c'].map((n) => `proxy-config:${n}`).concat(['cluster', 'clusters', 'c'].map((n) => `pc:${n}`));
  static override summary = 'Show the clusters of a proxy: the services and subsets that it can call, and the DestinationRule of each.';
  static override examples = [
    '<%= config.bin %> proxy-config cluster web -f mesh/',
    '<%= config.bin %> pc c web.default --fqdn reviews.default.svc.cluster.local --direction outbound',
    '<%= config.bin %> pc clusters -k web-6f7d9.shop',
  ];
  static override args = proxyArgs;
  static override flags = {
    ...proxyFlags,
    output: flags.output('short', 'json', 'yaml'),
    fqdn: Flags.string({ helpValue: 'HOST', description: 'only clusters of this service: its whole name' }),
    port: Flags.integer({ helpValue: 'PORT', min: 0, max: 65535, description: 'only clusters of this port' }),
    subset: Flags.string({ helpValue: 'SUBSET', description: 'only clusters of this subset' }),
    direction: flags.oneOf('direction', ['inbound', 'outbound'], 'only clusters of this direction'),
  };

  async run(): Promise<ClusterJson[]> {
    const { args, flags } = await this.parse(ProxyConfigCluster);
    const source = await this.open(flags, args, connect);
    const clusters = selectClusters(clustersOf(await source.dump()), flags);
    return this.print(clusters, flags.output, (c) => formatTable(clusterTable(c)));
  }
}
