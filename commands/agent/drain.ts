import { agentClient } from '../../agent/client.ts';
import { BaseCommand } from '../../src/cli/base-command.ts';
import { deadline, deadlineMs } from '../../src/cli/deadline.ts';
import * as flags from '../../src/cli/flags.ts';

export default class AgentDrain extends BaseCommand {
  static override summary = 'Let requests in flight finish and take no new connections.';
  static override description = 'The data plane keeps running, drained, until the agent is stopped or restarted.';
  static override examples = ['<%= config.bin %> agent drain --deadline 10s'];
  static override flags = { agent: flags.agent, deadline };

  async run(): Promise<{ drained: true }> {
    const { flags } = await this.parse(AgentDrain);
    const ms = deadlineMs(flags.deadline);
    await agentClient(flags.agent).post('/fairlead/v1/drain', { deadlineMs: ms }, ms + 10_000);
    return this.print({ drained: true }, undefined, () => 'drained');
  }
}
