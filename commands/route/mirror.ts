import * as Flags from '@oclif/core/flags';
import { argument } from '../../src/cli/argument.ts';
import { percent } from '../../src/cli/flags.ts';
import { editFlags, type RouteChange, RouteCommand } from '../../src/cli/route-command.ts';
import { FairleadError } from '../../src/errors.ts';

export default class RouteMirror extends RouteCommand {
  static override summary = 'Send a copy of the requests of a route to another version or service, whose answers nobody waits for.';
  static override examples = [
    '<%= config.bin %> route mirror reviews --to v2 --percent 10',
    '<%= config.bin %> route mirror orders --to audit/',
    '<%= config.bin %> route mirror reviews --off',
  ];
  static override args = { service: { ...argument('SERVICE', 'whose requests'), required: true } };
  static override flags = {
    ...editFlags,
    to: Flags.string({ helpValue: 'SUBSET|HOST/[SUBSET]', description: 'who gets the copies', exclusive: ['off'] }),
    percent: percent('percent', 'how many of the requests are copied [default: all]'),
    off: Flags.boolean({ description: 'no copies any more', exclusive: ['percent'] }),
  };

  async run(): Promise<RouteChange> {
    const { args, flags } = await this.parse(RouteMirror);
    if (flags.to === undefined && !flags.off) throw new FairleadError('E_USAGE', 'say who gets the copies with --to, or --off');
    const opened = await this.openMesh(flags);
    const [{ withMirror }, { ensureSubsets }, { findHost }] = await Promise.all([
      import('../../src/edit/routes/change-route.ts'),
      import('../../src/edit/routes/split.ts'),
      import('../../src/edit/routes/service-host.ts'),
    ]);
    const { to, percent } = flags;
    const words = to === undefined ? 'no mirror' : `${percent ?? 100}% are copied to ${to}`;
    const service = args.service as string;
    return this.changeRoute(
      opened,
      service,
      flags,
      (route, draft, { target, resource }) => {
        if (to === undefined) return withMirror(route, undefined);
        const slash = to.indexOf('/');
        const host = slash === -1 ? (route.route?.[0]?.destination.host ?? target.host) : to.slice(0, slash);
        const subset = to.slice(slash + 1);
        const namespace = resource?.metadata.namespace ?? target.service?.namespace ?? flags.namespace;
        const owner = findHost(opened.mesh, host, namespace);
        if (subset !== '') ensureSubsets(opened.mesh, draft, owner, [subset], opened.store.newFile(owner, resource));
        return withMirror(route, { host, subset, percent });
      },
      words,
    );
  }
}
