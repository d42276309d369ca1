import * as Flags from '@oclif/core/flags';
import { argument } from '../../src/cli/argument.ts';
import { percent } from '../../src/cli/flags.ts';
import { editFlags, type RouteChange, RouteCommand } from '../../src/cli/route-command.ts';
import { parseDuration } from '../../src/config/duration.ts';
import { FairleadError } from '../../src/errors.ts';

export default class RouteFault extends RouteCommand {
  static override summary = 'Delay or fail a share of the requests of a route, to see how callers bear it.';
  static override examples = [
    '<%= config.bin %> route fault ratings --delay 2s --percent 10',
    '<%= config.bin %> route fault ratings --abort 503 --percent 5',
    '<%= config.bin %> route fault ratings --off',
  ];
  static override args = { service: { ...argument('SERVICE', 'whose requests'), required: true } };
  static override flags = {
    ...editFlags,
    delay: Flags.string({ helpValue: 'DURATION', description: 'how long requests wait', exclusive: ['off'] }),
    abort: Flags.string({ helpValue: 'STATUS', description: 'HTTP status, or the name of a gRPC status', exclusive: ['off'] }),
    percent: percent('percent', 'how many of the requests [default: all]'),
    off: Flags.boolean({ description: 'no faults any more', exclusive: ['percent'] }),
  };

  async run(): Promise<RouteChange> {
    const { args, flags } = await this.parse(RouteFault);
    const { delay, abort, off } = flags;
    if (delay === undefined && abort === undefined && !off)
      throw new FairleadError('E_USAGE', 'say what goes wrong: --delay, --abort, or --off');
    if (delay !== undefined && !((parseDuration(delay) ?? 0) > 0))
      throw new FairleadError('E_USAGE', `--delay ${JSON.stringify(delay)} is not a duration`, { next: 'Write 250ms, 2s or 1m30s.' });
    if (abort !== undefined && !/^([2-5]\d\d|[A-Z_]+)$/.test(abort))
      throw new FairleadError('E_USAGE', `--abort ${JSON.stringify(abort)} is not a status`, {
        next: 'Write an HTTP status as 503, or a gRPC status as UNAVAILABLE.',
      });
    const opened = await this.openMesh(flags);
    const { withFault } = await import('../../src/edit/routes/change-route.ts');
    const percentage = { value: flags.percent ?? 100 };
    const status = abort === undefined ? undefined : /^\d/.test(abort) ? { httpStatus: Number(abort) } : { grpcStatus: abort };
    const fault = {
      ...(delay ? { delay: { fixedDelay: delay, percentage } } : {}),
      ...(status ? { abort: { ...status, percentage } } : {}),
    };
    const wrong = [delay && `wait ${delay}`, abort && `fail with ${abort}`].filter(Boolean).join(' and ');
    const words = off ? 'no faults' : `${percentage.value}% ${wrong}`;
    return this.changeRoute(opened, args.service as string, flags, (route) => withFault(route, off ? undefined : fault), words);
  }
}
