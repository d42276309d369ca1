import * as Flags from '@oclif/core/flags';
import { argument } from '../../src/cli/argument.ts';
import { editFlags, type RouteChange, RouteCommand } from '../../src/cli/route-command.ts';
import { parseDuration } from '../../src/config/duration.ts';
import { FairleadError } from '../../src/errors.ts';

const duration = (flag: string, description: string) =>
  Flags.string({
    helpValue: 'DURATION',
    description,
    parse: async (typed) => {
      if ((parseDuration(typed) ?? 0) > 0) return typed;
      throw new FairleadError('E_USAGE', `--${flag} ${JSON.stringify(typed)} is not a duration`, { next: 'Write 250ms, 2s or 1m30s.' });
    },
  });

export default class RouteRetry extends RouteCommand {
  static override summary = 'Set how often the failed requests of a route are sent again, and when.';
  static override description =
    'What is not given stays as it is. `off` turns retries off; where no rule says anything, Istio retries twice.';
  static override examples = [
    '<%= config.bin %> route retry reviews 3 --on 5xx,reset --per-try-timeout 500ms',
    '<%= config.bin %> route retry reviews off',
  ];
  static override args = {
    service: { ...argument('SERVICE', 'whose requests'), required: true },
    attempts: { ...argument('ATTEMPTS|off', 'how often at most'), required: true },
  };
  static override flags = {
    ...editFlags,
    on: Flags.string({ helpValue: 'CONDITIONS', description: 'Envoy’s retry conditions and status codes, joined by commas' }),
    'per-try-timeout': duration('per-try-timeout', 'how long one try may take'),
    backoff: duration('backoff', 'the shortest wait before a retry'),
  };

  async run(): Promise<RouteChange> {
    const { args, flags } = await this.parse(RouteRetry);
    const { attempts } = args as { attempts: string };
    const { on, backoff, 'per-try-timeout': perTryTimeout } = flags;
    const off = attempts === 'off';
    if (!off && !/^\d{1,3}$/.test(attempts))
      throw new FairleadError('E_USAGE', `${JSON.stringify(attempts)} is not a number of attempts`, { next: 'Write a number, or `off`.' });
    if (off && (on ?? backoff ?? perTryTimeout) !== undefined)
      throw new FairleadError('E_USAGE', 'retries that are off have no other settings');
    const opened = await this.openMesh(flags);
    const { withRetries } = await import('../../src/edit/routes/change-route.ts');
    const more = { ...(on ? { retryOn: on } : {}), ...(perTryTimeout ? { perTryTimeout } : {}), ...(backoff ? { backoff } : {}) };
    const retries = off ? undefined : { attempts: Number(attempts), ...more };
    const words = off ? 'no retries' : `${attempts} retries`;
    return this.changeRoute(opened, args.service as string, flags, (route) => withRetries(route, retries), words);
  }
}
