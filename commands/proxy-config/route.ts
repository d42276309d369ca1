import * as Flags from '@oclif/core/flags';
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import { connect } from '../../agent/connect.ts';
import * as flags from '../../src/cli/flags.ts';
import { ProxyConfigCommand } from '../../src/cli/proxy-config-command.ts';
import { proxyArgs, proxyFlags } from '../../src/cli/proxy-source.ts';
import { routesOf } from '../../src/envoy/dump/resources.ts';
import { routeTable, selectRoutes } from '../../src/output/proxy-config/route.ts';
import { formatTable } from '../../src/output/table.ts';

export default class ProxyConfigRoute extends ProxyConfigCommand {
  static override aliases = ['routes', 'r'].map((n) => `proxy-config:${n}`).concat(['route', 'routes', 'r'].map((n) => `pc:${n}`));
  static override summary = 'Show the routes of a proxy: hosts, matches, and the VirtualService that each comes from.';
  static override examples = [
    '<%= config.bin %> proxy-config route web -f mesh/',
    '<%= config.bin %> pc r web.default --name 80 -o json',
    '<%= config.bin %> pc routes --file config_dump.json',
    '<%= config.bin %> pc routes -k deployment/web.shop',
  ];
  static override args = proxyArgs;
  static override flags = {
    ...proxyFlags,
    output: flags.output('short', 'json', 'yaml'),
    name: Flags.string({ helpValue: 'NAME', description: 'only the route configuration of this name' }),
    verbose: Flags.boolean({ default: true, allowNo: true, description: 'a row for each route, not for each route configuration' }),
  };

  async run(): Promise<RouteConfigurationJson[]> {
    const { args, flags } = await this.parse(ProxyConfigRoute);
    const source = await this.open(flags, args, connect);
    const routes = selectRoutes(routesOf(await source.dump()), flags);
    return this.print(routes, flags.output, (r) => formatTable(routeTable(r, {}, flags.verbose)));
  }
}
