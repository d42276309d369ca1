import { argument } from '../../src/cli/argument.ts';
import { editFlags, type RouteChange, RouteCommand } from '../../src/cli/route-command.ts';
import { FairleadError } from '../../src/errors.ts';

export default class RouteSplit extends RouteCommand {
  static override summary = 'Share the requests of a route between subsets or services.';
  static override description =
    'Shares are percent and add up to 100. A subset that no DestinationRule defines is added when a version of that name runs; without a VirtualService one is made, in the file of the service.';
  static override examples = [
    '<%= config.bin %> route split reviews v1=90 v2=10',
    '<%= config.bin %> route split reviews v2=100 --route testers --dry-run',
    '<%= config.bin %> route split reviews v1=95 reviews-next/=5',
  ];
  static override strict = false;
  static override args = {
    service: argument('SERVICE', 'whose requests'),
    share: argument('SUBSET=PERCENT…', 'who gets how many of them'),
  };
  static override flags = editFlags;

  async run(): Promise<RouteChange> {
    const { argv, flags } = await this.parse(RouteSplit);
    const [service, ...typed] = argv as string[];
    if (service === undefined || typed.length === 0)
      throw new FairleadError('E_USAGE', 'a service and its shares must be named', {
        next: 'For example: `fairlead route split reviews v1=90 v2=10`.',
      });
    const [{ checkShares, ensureSubsets, parseShare, withShares }, { findHost }] = await Promise.all([
      import('../../src/edit/routes/split.ts'),
      import('../../src/edit/routes/service-host.ts'),
    ]);
    const shares = typed.map(parseShare);
    checkShares(shares);
    const opened = await this.openMesh(flags);
    const { mesh } = opened;
    const words = shares.map(({ host, subset, weight }) => `${[host, subset].filter(Boolean).join('/')} ${weight}%`).join(', ');
    return this.changeRoute(
      opened,
      service,
      flags,
      (route, draft, { target, resource }) => {
        if (route.redirect || route.directResponse || route.delegate)
          throw new FairleadError('E_ROUTE_UNKNOWN', `this route of ${target.host} sends requests to no service`, {
            next: '`fairlead route list` shows which ones do.',
          });
        const namespace = resource?.metadata.namespace ?? target.service?.namespace ?? flags.namespace;
        const complete = (host: string): string => mesh.completeHost(host, namespace);
        const written = route.route?.[0]?.destination.host ?? target.host;
        // A gateway's host is no service: its route says which one is meant.
        const own = complete(written) === target.host || target.service === undefined ? written : target.host;
        for (const host of new Set(shares.map((share) => share.host))) {
          const subsets = shares.flatMap((share) => (share.host === host && share.subset ? [share.subset] : []));
          const owner = findHost(mesh, host ?? own, namespace);
          if (subsets.length > 0) ensureSubsets(mesh, draft, owner, subsets, opened.store.newFile(owner, resource));
        }
        return withShares(route, shares, own, complete);
      },
      words,
    );
  }
}
