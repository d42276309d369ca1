import { agentClient } from '../../agent/client.ts';
import { BaseCommand } from '../../src/cli/base-command.ts';
import * as flags from '../../src/cli/flags.ts';
import { agentStatusText, type ShownStatus } from '../../src/output/agent-status.ts';

export default class AgentStatus extends BaseCommand {
  static override summary = 'Show the state of this node’s agent, its engine and its proxies.';
  static override examples = ['<%= config.bin %> agent status', '<%= config.bin %> agent status -o json'];
  static override flags = { agent: flags.agent, output: flags.output('text', 'json', 'yaml') };

  async run(): Promise<ShownStatus> {
    const { flags } = await this.parse(AgentStatus);
    const status = await agentClient(flags.agent).getJson<ShownStatus>('/fairlead/v1/status');
    return this.print(status, flags.output, (s) => agentStatusText(s, Date.now()));
  }
}
