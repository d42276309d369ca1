import * as Args from '@oclif/core/args';
import { connect } from '../../agent/connect.ts';
import { BaseCommand } from '../../src/cli/base-command.ts';
import * as flags from '../../src/cli/flags.ts';
import { FairleadError } from '../../src/errors.ts';

export default class AgentRequest extends BaseCommand {
  static override summary = 'Ask an agent’s API, or the admin API of its proxy, and print the answer as it is.';
  static override description =
    'For containers that have no curl; `-k --via exec` of other commands runs it in a pod. What the API has is in docs/debugging.md.';
  static override examples = [
    '<%= config.bin %> agent request GET /config_dump',
    '<%= config.bin %> agent request POST "/logging?level=debug"',
    'kubectl exec web-6f7d9 -c istio-proxy -- <%= config.bin %> agent request GET /stats',
  ];
  static override enableJsonFlag = false;
  static override args = {
    method: Args.string({ name: 'METHOD', required: true, ignoreStdin: true, description: 'GET or POST' }),
    path: Args.string({ name: 'PATH', required: true, ignoreStdin: true, description: 'the path, with its query' }),
  };
  static override flags = { agent: flags.agent };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AgentRequest);
    const method = String(args.method).toUpperCase();
    if (method !== 'GET' && method !== 'POST')
      throw new FairleadError('E_USAGE', `METHOD must be GET or POST, not ${JSON.stringify(args.method)}`);
    const path = String(args.path).replace(/^\/?/, '/');
    const client = await connect(flags.agent);
    this.write(method === 'GET' ? (await client.get(path)).body.toString('utf8') : await client.postText(path));
  }
}
