import * as Flags from '@oclif/core/flags';
import { argument } from '../../src/cli/argument.ts';
import { editFlags, type RouteChange, RouteCommand } from '../../src/cli/route-command.ts';

export default class RouteRemove extends RouteCommand {
  static override summary = 'Remove a route, or with --all the whole VirtualService of a host.';
  static override description =
    'The last route of a VirtualService takes the VirtualService along. Asks first on a terminal; elsewhere it needs --yes.';
  static override examples = [
    '<%= config.bin %> route remove catalog --route testers --yes',
    '<%= config.bin %> route remove catalog --all --dry-run',
  ];
  static override args = { service: { ...argument('SERVICE', 'whose route'), required: true } };
  static override flags = {
    ...editFlags,
    all: Flags.boolean({ description: 'the whole VirtualService', exclusive: ['route'] }),
    yes: Flags.boolean({ char: 'y', description: 'do not ask' }),
  };

  async run(): Promise<RouteChange> {
    const { args, flags } = await this.parse(RouteRemove);
    const opened = await this.openMesh(flags);
    const { nameOfRoute } = await import('../../src/edit/routes/find-routes.ts');
    const { target, routes, entry } = await this.findRoute(opened, args.service as string, flags.all ? { ...flags, route: '1' } : flags);
    const { resource } = flags.all ? routes : entry;
    const { http = [], tls = [], tcp = [] } = resource.spec;
    const whole = flags.all || http.length + tls.length + tcp.length === 1;
    const name = `VirtualService ${resource.metadata.namespace}/${resource.metadata.name}`;
    const what = whole ? `${name} with its ${http.length + tls.length + tcp.length} routes` : `route ${nameOfRoute(entry)} of ${name}`;
    const draft = opened.store.draft();
    if (whole) draft.remove(resource);
    else draft.set(resource, entry.path, undefined);
    if (!flags['dry-run']) await this.confirm(`this removes ${what} (${target.host}) from ${resource.source.file}`, flags.yes);
    return this.commit(opened, draft, `removed ${what}`, flags['dry-run']);
  }
}
