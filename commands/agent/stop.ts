import { agentClient } from '../../agent/client.ts';
import { BaseCommand } from '../../src/cli/base-command.ts';
import { deadline, deadlineMs } from '../../src/cli/deadline.ts';
import * as flags from '../../src/cli/flags.ts';

export default class AgentStop extends BaseCommand {
  static override summary = 'Stop the agent and its proxy, after requests in flight have finished.';
  static override examples = ['<%= config.bin %> agent stop', '<%= config.bin %> agent stop --deadline 0s'];
  static override flags = { agent: flags.agent, deadline };

  async run(): Promise<{ stopped: true }> {
    const { flags } = await this.parse(AgentStop);
    const client = agentClient(flags.agent);
    const ms = deadlineMs(flags.deadline);
    const ended = new Promise<void>((resolve) =>
      client.stream('/fairlead/v1/events?records=false', { line: () => undefined, ended: () => resolve() }),
    );
    await client.post('/fairlead/v1/stop', { deadlineMs: ms });
    await ended;
    return this.print({ stopped: true }, undefined, () => 'stopped');
  }
}
