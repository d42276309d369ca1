import * as Flags from '@oclif/core/flags';
import { agentClient } from '../agent/client.ts';
import { defaultDataDirectory } from '../agent/data-directory.ts';
import { socketsOf } from '../agent/socket-paths.ts';
import { argument } from '../src/cli/argument.ts';
import { BaseCommand } from '../src/cli/base-command.ts';
import * as flags from '../src/cli/flags.ts';
import { podChoice, podFlags, remoteFlags } from '../src/cli/remote-flags.ts';
import type { Check, DoctorReport, Severity } from '../src/doctor/types.ts';
import { EXIT, FairleadError } from '../src/errors.ts';

export interface ListedCheck {
  id: string;
  what: string;
  why: string;
  severity: Severity;
  next: string;
  after: readonly string[];
}

export default class Doctor extends BaseCommand {
  static override summary =
    'Check this node, or a pod of a cluster, up to the endpoints, in the order of causes; each failure says what to do next.';
  static override description =
    `With -k POD the proxy of that pod is looked at from outside: Fairlead's or Istio's own. A check whose cause failed is skipped, and says which that was. Nothing is changed; connections to listeners and endpoints are opened and closed.
Exit code 0 when all is well or there are only warnings, 1 when a check failed, 3 when one could not be run.`;
  static override examples = [
    '<%= config.bin %> doctor',
    '<%= config.bin %> doctor --pre',
    '<%= config.bin %> doctor --skip upstreams/reachable --skip telemetry -o json',
    '<%= config.bin %> doctor --list',
    '<%= config.bin %> doctor -k deployment/web.shop',
  ];
  static override args = { pod: argument('POD[.NAMESPACE]', 'with -k: whose proxy; also deployment/NAME[.NAMESPACE]') };
  static override flags = {
    agent: flags.agent,
    data: Flags.string({ helpValue: 'DIR', description: 'the agent’s data directory [default: as for `agent run`]' }),
    pre: Flags.boolean({ description: 'before an install: Node, ports, Envoy, limits', exclusive: ['agent', 'kubernetes'] }),
    ...podFlags('agent', 'data'),
    skip: Flags.string({ multiple: true, helpValue: 'ID', description: 'leave out a check, or all of a group: telemetry' }),
    list: Flags.boolean({ description: 'list the checks, run none' }),
    verbose: Flags.boolean({ char: 'v', description: 'say of each check why it matters and how long it took' }),
    output: flags.output('text', 'json', 'yaml'),
    ...remoteFlags,
  };

  async run(): Promise<DoctorReport | ListedCheck[]> {
    const { args, flags } = await this.parse(Doctor);
    const { meshDoctor, installDoctor, podDoctor } = await import('../src/doctor/checks/all.ts');
    const skip = flags.skip ?? [];
    const pod = podOf(args.pod, flags);
    const known = (flags.pre ? installDoctor : flags.kubernetes ? podDoctor : meshDoctor) as readonly Check<never>[];
    refuseUnknown(skip, known);
    if (flags.list) return this.listChecks(known, flags.output);
    const [{ runChecks }, { machineProbes, meshProbes }, { doctorText }] = await Promise.all([
      import('../src/doctor/run-checks.ts'),
      import('../agent/doctor-probes.ts'),
      import('../src/output/doctor/text.ts'),
    ]);
    const directory = flags.data ?? defaultDataDirectory();
    const live = Boolean(process.stderr.isTTY) && !this.jsonEnabled();
    const options = {
      skip,
      now: () => performance.now(),
      ...(live && { progress: ({ what }: { what: string }) => process.stderr.write(`\r\u001b[K${what}…`) }),
    };
    const agent = flags.agent ?? (flags.data === undefined ? undefined : `unix:${socketsOf(directory).agent}`);
    const report = flags.pre
      ? await runChecks(installDoctor, machineProbes(directory), options)
      : pod !== undefined
        ? await runChecks(podDoctor, (await import('../agent/pod-probes.ts')).podProbes(podChoice(pod, flags)), options)
        : await runChecks(meshDoctor, meshProbes(directory, agentClient(agent), this.config.version), options);
    if (live) process.stderr.write('\r\u001b[K');
    if (report.result !== 'ok') process.exitCode = report.result === 'broken' ? EXIT.failed : EXIT.findings;
    const canvas = { color: this.color, width: Math.max(40, process.stdout.columns ?? 100) };
    return this.print(report, flags.output, (r) => doctorText(r, canvas, flags.verbose));
  }

  private async listChecks(checks: readonly Check<never>[], format: string | undefined): Promise<ListedCheck[]> {
    const { checkList } = await import('../src/output/doctor/text.ts');
    const list = checks.map(({ id, what, why, severity, next, after = [] }) => ({ id, what, why, severity, next, after }));
    return this.print(list, format, () => checkList(checks));
  }
}

/** The pod that is looked at; undefined: this node is. Throws E_USAGE. */
function podOf(pod: string | undefined, { kubernetes = false, list }: { kubernetes?: boolean; list: boolean }): string | undefined {
  if (kubernetes === (pod !== undefined) || (kubernetes && list)) return pod;
  throw pod === undefined
    ? new FairleadError('E_USAGE', '-k looks at one pod, and none is named', {
        next: 'Write -k POD[.NAMESPACE], or -k deployment/NAME[.NAMESPACE].',
      })
    : new FairleadError('E_USAGE', `${JSON.stringify(pod)} names a pod, and no cluster is asked`, { next: 'Add -k.' });
}

/** Throws E_USAGE: a check that is not there is not skipped. */
function refuseUnknown(skip: readonly string[], checks: readonly Check<never>[]): void {
  const names = new Set(checks.flatMap((c) => [c.id, c.id.split('/')[0] as string]));
  const unknown = skip.find((id) => !names.has(id));
  if (unknown === undefined) return;
  throw new FairleadError('E_USAGE', `there is no check ${JSON.stringify(unknown)} to skip`, {
    next: `There are: ${checks.map((c) => c.id).join(', ')}.`,
  });
}
