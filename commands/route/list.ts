import { argument } from '../../src/cli/argument.ts';
import * as flags from '../../src/cli/flags.ts';
import { RouteCommand, readFlags } from '../../src/cli/route-command.ts';
import type { RouteRow } from '../../src/output/routes/route-rows.ts';

export default class RouteList extends RouteCommand {
  static override summary = 'List the HTTP routes of VirtualServices: what matches, where it goes, and which line says so.';
  static override examples = ['<%= config.bin %> route list', '<%= config.bin %> route list reviews -o json'];
  static override args = { service: argument('SERVICE', 'only routes for this service or host') };
  static override flags = { ...readFlags, output: flags.output('text', 'json', 'yaml') };

  async run(): Promise<RouteRow[]> {
    const { args, flags } = await this.parse(RouteList);
    const opened = await this.openMesh(flags);
    const [{ allRoutes, routesOf }, { formatRoutes, routeRows }, { findHost }] = await Promise.all([
      import('../../src/edit/routes/find-routes.ts'),
      import('../../src/output/routes/route-rows.ts'),
      import('../../src/edit/routes/service-host.ts'),
    ]);
    const { mesh, namespace } = opened;
    const found = args.service === undefined ? allRoutes(mesh) : routesOf(mesh, findHost(mesh, args.service, namespace).host);
    const none =
      args.service === undefined
        ? 'no VirtualService routes HTTP requests'
        : `no VirtualService routes requests for ${args.service}: all of its endpoints share them`;
    return this.print(routeRows(found), flags.output, (rows) => (rows.length === 0 ? none : formatRoutes(rows)));
  }
}
