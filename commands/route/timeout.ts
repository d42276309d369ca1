import { argument } from '../../src/cli/argument.ts';
import { editFlags, type RouteChange, RouteCommand } from '../../src/cli/route-command.ts';
import { parseDuration } from '../../src/config/duration.ts';
import { FairleadError } from '../../src/errors.ts';

export default class RouteTimeout extends RouteCommand {
  static override summary = 'Limit how long the requests of a route may take, retries included.';
  static override examples = ['<%= config.bin %> route timeout reviews 2s', '<%= config.bin %> route timeout reviews off'];
  static override args = {
    service: { ...argument('SERVICE', 'whose requests'), required: true },
    duration: { ...argument('DURATION|off', 'as 500ms, 2s, 1m30s; off: no limit'), required: true },
  };
  static override flags = editFlags;

  async run(): Promise<RouteChange> {
    const { args, flags } = await this.parse(RouteTimeout);
    const { duration } = args as { duration: string };
    const off = duration === 'off';
    if (!off && !((parseDuration(duration) ?? 0) > 0))
      throw new FairleadError('E_USAGE', `${JSON.stringify(duration)} is not a duration`, { next: 'Write 500ms, 2s or 1m30s, or `off`.' });
    const opened = await this.openMesh(flags);
    const { withTimeout } = await import('../../src/edit/routes/change-route.ts');
    const words = off ? 'no timeout' : `timeout ${duration}`;
    return this.changeRoute(opened, args.service as string, flags, (route) => withTimeout(route, off ? undefined : duration), words);
  }
}
