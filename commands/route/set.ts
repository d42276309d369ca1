import * as Flags from '@oclif/core/flags';
import { argument } from '../../src/cli/argument.ts';
import { editFlags, type RouteChange, RouteCommand } from '../../src/cli/route-command.ts';
import { FairleadError } from '../../src/errors.ts';

const { route: _, ...withoutRoute } = editFlags;

export default class RouteSet extends RouteCommand {
  static override summary = 'Add a route for requests that meet conditions, or change the one of that name.';
  static override description =
    'A new route comes first, so that it is tried before the others. Conditions: VALUE is exact, VALUE* a prefix, ~REGEX (for a header NAME~=REGEX) an RE2 expression.';
  static override examples = [
    '<%= config.bin %> route set reviews testers --header end-user=jason --to v2',
    '<%= config.bin %> route set shop.example.com api --path "/api*" --method GET --to backend/',
  ];
  static override args = {
    service: { ...argument('SERVICE', 'whose requests'), required: true },
    name: { ...argument('NAME', 'the route’s name'), required: true },
  };
  static override flags = {
    ...withoutRoute,
    path: Flags.string({ helpValue: '/PATH[*]|~REGEX', description: 'condition on the path' }),
    method: Flags.string({ helpValue: 'METHOD', description: 'condition on the method' }),
    header: Flags.string({
      helpValue: 'NAME[=VALUE]',
      description: 'condition on a header; may be given again',
      multiple: true,
      multipleNonGreedy: true,
    }),
    query: Flags.string({
      helpValue: 'NAME[=VALUE]',
      description: 'condition on a query parameter; may be given again',
      multiple: true,
      multipleNonGreedy: true,
    }),
    to: Flags.string({ helpValue: 'SUBSET|HOST/[SUBSET]', description: 'where the requests go' }),
  };

  async run(): Promise<RouteChange> {
    const { args, flags } = await this.parse(RouteSet);
    const { service, name } = args as { service: string; name: string };
    const { parseConditions } = await import('../../src/edit/routes/parse-conditions.ts');
    const match = parseConditions({ path: flags.path, method: flags.method, headers: flags.header, query: flags.query });
    if (match === undefined && flags.to === undefined)
      throw new FairleadError('E_USAGE', 'say which requests (--path, --method, --header, --query) or where they go (--to)');
    const opened = await this.openMesh(flags);
    const { mesh } = opened;
    const [{ ensureSubsets }, { findHost }] = await Promise.all([
      import('../../src/edit/routes/split.ts'),
      import('../../src/edit/routes/service-host.ts'),
    ]);
    const { target, routes } = await this.findRoutes(opened, service, flags);
    if (routes === undefined)
      throw new FairleadError('E_ROUTE_UNKNOWN', `no VirtualService routes requests for ${target.host}`, {
        next: `\`${this.config.bin} route split ${service} SUBSET=PERCENT …\` makes one, which takes every request.`,
      });
    const known = routes.entries.find((entry) => entry.route.name === name);
    const resource = known?.resource ?? routes.resource;
    if (known === undefined && (flags.to === undefined || match === undefined))
      throw new FairleadError('E_USAGE', `there is no route ${name} yet: a new one needs a condition and --to`, {
        position: resource.source.positionOf(['spec', 'http']),
      });
    const draft = opened.store.draft();
    const route = { name, ...known?.route, ...(match ? { match: [match] } : {}) };
    if (flags.to !== undefined) {
      const slash = flags.to.indexOf('/');
      const host = slash === -1 ? ownHost(routes.entries, target.host) : flags.to.slice(0, slash);
      const subset = flags.to.slice(slash + 1);
      const owner = findHost(mesh, host, resource.metadata.namespace);
      if (subset !== '') ensureSubsets(mesh, draft, owner, [subset], opened.store.newFile(owner, resource));
      route.route = [{ destination: { host, ...(subset === '' ? {} : { subset }) } }];
      for (const other of ['redirect', 'directResponse', 'delegate'] as const) delete route[other];
    }
    if (known) draft.set(resource, known.path, route);
    else draft.set(resource, ['spec', 'http'], [route, ...(resource.spec.http ?? [])]);
    return this.commit(opened, draft, `${known ? 'changed' : 'added'} route ${JSON.stringify(name)} of ${target.host}`, flags['dry-run']);
  }
}

/** How the service is called in its own routes; its complete name where they do not say. */
function ownHost(entries: readonly { route: { route?: { destination: { host: string } }[] } }[], host: string): string {
  const name = host.split('.')[0];
  return (
    entries.flatMap((e) => e.route.route ?? []).find((d) => d.destination.host === host || d.destination.host.split('.')[0] === name)
      ?.destination.host ?? host
  );
}
