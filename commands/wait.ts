import * as Flags from '@oclif/core/flags';
import { agentClient } from '../agent/client.ts';
import { type WaitResult, type WantedResource, waitApplied } from '../agent/wait-applied.ts';
import { argument } from '../src/cli/argument.ts';
import { BaseCommand } from '../src/cli/base-command.ts';
import * as flags from '../src/cli/flags.ts';
import { span } from '../src/cli/within.ts';
import { EXIT, FairleadError } from '../src/errors.ts';
import { progressText, waitText } from '../src/output/wait.ts';

export default class Wait extends BaseCommand {
  static override aliases = ['x:wait'];
  static override summary = 'Wait until every proxy of the node, or a named one, has applied the configuration as it is on disk.';
  static override description = `The agent reads the configuration first, so nothing that is saved is missed.
Exit code 0 when it is applied, 1 when it is refused (with the reason and its line), 3 when it is not applied within --timeout or no agent answers.`;
  static override examples = [
    '<%= config.bin %> wait',
    '<%= config.bin %> wait web.default --timeout 10s',
    '<%= config.bin %> wait --for VirtualService/reviews.shop -o json',
  ];
  static override args = { proxy: argument('PROXY', 'NAME[.NAMESPACE] [default: every proxy of the node]') };
  static override flags = {
    agent: flags.agent,
    namespace: flags.namespace,
    for: Flags.string({
      multiple: true,
      helpValue: 'KIND/NAME[.NAMESPACE]',
      description: 'wait until the configuration has this resource as well',
    }),
    timeout: span('timeout', 'how long to wait at most', '30s'),
    output: flags.output('text', 'json', 'yaml'),
    quiet: flags.quiet,
  };

  async run(): Promise<WaitResult> {
    const { args, flags } = await this.parse(Wait);
    const resources = await Promise.all((flags.for ?? []).map((typed) => wantedResource(typed, flags.namespace)));
    const live = Boolean(process.stderr.isTTY) && !flags.quiet && !this.jsonEnabled();
    const result = await waitApplied(agentClient(flags.agent), {
      proxy: args.proxy,
      resources,
      timeoutMs: flags.timeout as number,
      ...(live && { progress: (waiting, elapsed) => process.stderr.write(`\r\u001b[K${progressText(waiting, elapsed)}`) }),
    });
    if (live) process.stderr.write('\r\u001b[K');
    if (result.result !== 'applied') process.exitCode = result.result === 'refused' ? EXIT.findings : EXIT.failed;
    if (this.jsonEnabled() || flags.output === 'json' || flags.output === 'yaml') return this.print(result, flags.output, () => '');
    const text = waitText(result, args.proxy);
    if (result.result === 'applied') {
      if (!flags.quiet) this.write(`${text}\n`);
      return result;
    }
    process.stderr.write(`${text}\n`);
    if (result.problems.length > 0) {
      const { formatProblems } = await import('../src/output/problems.ts');
      const width = process.stderr.columns ?? 100;
      process.stderr.write(`\n${await formatProblems(result.problems, { color: this.errorColor, width })}\n`);
    }
    return result;
  }
}

/** `vs/reviews.shop`: kinds by any of their names. Throws E_USAGE, E_KIND_UNKNOWN. */
async function wantedResource(typed: string, namespace: string): Promise<WantedResource> {
  const [, kindName = '', name = ''] = /^([^/]+)\/([^/]+)$/.exec(typed) ?? [];
  if (name === '')
    throw new FairleadError('E_USAGE', `--for must be KIND/NAME or KIND/NAME.NAMESPACE, not ${JSON.stringify(typed)}`, {
      next: 'Write --for VirtualService/reviews.shop.',
    });
  const { kindByName } = await import('../src/config/kinds/registry.ts');
  const kind = kindByName(kindName);
  if (kind === undefined)
    throw new FairleadError('E_KIND_UNKNOWN', `there is no kind ${JSON.stringify(kindName)}`, {
      next: '`fairlead schema` lists them all.',
    });
  if (kind.scope === 'Cluster') return { kind: kind.kind, name, namespace: '' };
  const dot = name.lastIndexOf('.');
  return dot > 0 ? { kind: kind.kind, name: name.slice(0, dot), namespace: name.slice(dot + 1) } : { kind: kind.kind, name, namespace };
}
