import * as Flags from '@oclif/core/flags';
import { waitReady } from '../../agent/wait-ready.ts';
import { BaseCommand } from '../../src/cli/base-command.ts';
import { span } from '../../src/cli/within.ts';

export default class AgentReady extends BaseCommand {
  static override summary = 'Wait until an agent says that it is ready, as Kubernetes asks it: also for one that has not started yet.';
  static override description =
    'Asks /healthz/ready of the port of metrics and health on loopback. Exit code 3 when it is not ready within --timeout. Sidecars that are no init containers hold their pod’s application back with it.';
  static override examples = ['<%= config.bin %> agent ready --timeout 60s'];
  static override flags = {
    port: Flags.integer({ helpValue: 'PORT', description: 'the agent’s --metrics-port', default: 15020, min: 1, max: 65535 }),
    timeout: span('timeout', 'how long to wait at most', '30s'),
  };

  async run(): Promise<{ ready: true; took: number }> {
    const { flags } = await this.parse(AgentReady);
    return { ready: true, took: await waitReady(flags.port, flags.timeout as number) };
  }
}
