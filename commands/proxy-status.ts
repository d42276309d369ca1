import * as Flags from '@oclif/core/flags';
import { agentClient } from '../agent/client.ts';
import { BaseCommand } from '../src/cli/base-command.ts';
import * as flags from '../src/cli/flags.ts';
import { proxyStatusText, type ShownStatus } from '../src/output/agent-status.ts';

export default class ProxyStatus extends BaseCommand {
  static override aliases = ['ps'];
  static override summary = 'Show every proxy: in sync, stale or refused, since when, and why.';
  static override examples = ['<%= config.bin %> proxy-status', '<%= config.bin %> ps --agent http://127.0.0.1:15000 -o json'];
  static override flags = {
    agent: flags.agent,
    output: flags.output('table', 'json', 'yaml'),
    verbose: Flags.boolean({ char: 'v', description: 'one column for each type of config' }),
  };

  async run(): Promise<ShownStatus> {
    const { flags } = await this.parse(ProxyStatus);
    const status = await agentClient(flags.agent).getJson<ShownStatus>('/fairlead/v1/status');
    const refused = status.config.state === 'refused' ? status.config.problems.filter((p) => p.severity === 'error') : [];
    const problems = [...refused, ...status.proxies.flatMap((p) => p.problems)];
    if (problems.length > 0) process.exitCode = 1;
    await this.print(status, flags.output, (s) => proxyStatusText(s, Date.now(), flags.verbose));
    if (problems.length > 0 && !this.jsonEnabled() && !flags.output) {
      const { formatProblems } = await import('../src/output/problems.ts');
      process.stderr.write(
        `\nrefused:\n${await formatProblems(problems, { color: this.errorColor, width: process.stderr.columns ?? 100 })}\n`,
      );
    }
    return status;
  }
}
