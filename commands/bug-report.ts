import * as Flags from '@oclif/core/flags';
import type { BugReport } from '../agent/bug-report.ts';
import { defaultDataDirectory } from '../agent/data-directory.ts';
import { exitCodeOf, listenToSignals, Stopped } from '../agent/signals.ts';
import { socketsOf } from '../agent/socket-paths.ts';
import { BaseCommand } from '../src/cli/base-command.ts';
import { clusterFlags } from '../src/cli/cluster-flags.ts';
import * as flags from '../src/cli/flags.ts';
import { podChoice, remoteFlags } from '../src/cli/remote-flags.ts';
import { size } from '../src/cli/size-flag.ts';
import { parseSpan } from '../src/cli/within.ts';
import { FairleadError } from '../src/errors.ts';
import { bugReportText } from '../src/output/bug-report.ts';

export default class BugReportCommand extends BaseCommand {
  static override summary = 'Put what somebody needs who looks into this mesh from afar into one archive, without its secrets.';
  static override description =
    `Of this host: versions, the agent's status and metrics, each proxy's config dump, clusters, stats and certificates, logs, the configuration and what analyze finds in it.
With -k of a cluster: the same of every proxy in its pods, Fairlead's and Istio's own, with the mesh's objects, events, pods and the logs of the control planes.
Private keys, tokens, passwords, Authorization headers and cookies are taken out, Secrets are never in it, and manifest.json says what was left out and why. What cannot be asked in time
is left out and ends nothing. The archive is there whole or not at all. Exit code 0 when it was written, whatever is missing in it.`;
  static override examples = [
    '<%= config.bin %> bug-report',
    '<%= config.bin %> bug-report --dry-run',
    '<%= config.bin %> bug-report -k --include shop --since 1h --output report.tar.gz',
    '<%= config.bin %> bug-report -k --context prod --exclude "team-*" --max-size 20Mi',
  ];
  static override flags = {
    config: Flags.string({
      char: 'f',
      multiple: true,
      helpValue: 'PATH',
      description: 'configuration to put in [default: what the agent reads]',
      exclusive: ['kubernetes'],
    }),
    agent: { ...flags.agent, exclusive: ['kubernetes'] },
    data: Flags.string({
      helpValue: 'DIR',
      description: 'the agent’s data directory [default: as for `agent run`]',
      exclusive: ['kubernetes'],
    }),
    kubernetes: { ...clusterFlags.kubernetes, description: 'the kubeconfig’s cluster, in place of this host' },
    context: clusterFlags.context,
    'istio-namespace': clusterFlags['istio-namespace'],
    include: Flags.string({
      multiple: true,
      delimiter: ',',
      helpValue: 'NAMESPACE,…',
      description: 'only these namespaces, or those that begin so: team-* [default: all but Kubernetes’ own]',
      dependsOn: ['kubernetes'],
    }),
    exclude: Flags.string({
      multiple: true,
      delimiter: ',',
      helpValue: 'NAMESPACE,…',
      description: 'all but these namespaces',
      dependsOn: ['kubernetes'],
    }),
    since: Flags.string({
      aliases: ['duration'],
      helpValue: 'TIME',
      description: 'logs and events of so long a time: 30m, 2h [default: all]',
    }),
    'log-size': size('log-size', 'how much of each log, counted from its end', '5Mi', '1Ki'),
    'max-size': size('max-size', 'how large the archive may become', '100Mi', '1Mi'),
    output: Flags.string({ helpValue: 'FILE', description: 'the archive [default: ./fairlead-bug-report-TIME.tar.gz]' }),
    'dry-run': Flags.boolean({ description: 'list what would go in; nothing is collected' }),
    ...remoteFlags,
  };

  async run(): Promise<BugReport | undefined> {
    const { flags } = await this.parse(BugReportCommand);
    if (flags.output === '-')
      throw new FairleadError('E_USAGE', 'a report is written to a file, not to standard output', { next: 'Name one with --output FILE.' });
    const since = flags.since === undefined ? undefined : sinceOf(flags.since);
    const dataDirectory = flags.data ?? defaultDataDirectory();
    const { via, port, timeoutMs, context } = podChoice('', flags);
    const limits = { logBytes: flags['log-size'] as number, sinceMs: since, timeoutMs, version: this.config.version };
    const signals = listenToSignals(['SIGINT', 'SIGTERM', 'SIGHUP']);
    const live = Boolean(process.stderr.isTTY) && !this.jsonEnabled();
    try {
      const { bugReport, folderOf } = await import('../agent/bug-report.ts');
      const report = await bugReport({
        of: flags.kubernetes
          ? {
              cluster: {
                ...limits,
                context,
                include: flags.include ?? [],
                exclude: flags.exclude ?? [],
                istioNamespace: flags['istio-namespace'],
                via,
                port,
              },
            }
          : {
              host: {
                ...limits,
                agent: flags.agent ?? (flags.data === undefined ? undefined : `unix:${socketsOf(dataDirectory).agent}`),
                dataDirectory,
                paths: flags.config ?? [],
              },
            },
        output: flags['dry-run']
          ? undefined
          : { path: flags.output ?? `${folderOf(new Date())}.tar.gz`, maxSize: flags['max-size'] as number },
        version: this.config.version,
        command: ['bug-report', ...this.argv],
        signal: signals.abort,
        ...(live && { progress: (done, of) => process.stderr.write(`\r\u001b[K${done} of ${of} files`) }),
      });
      if (live) process.stderr.write('\r\u001b[K');
      return await this.print(report, undefined, bugReportText);
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      process.exitCode = exitCodeOf(error.signal);
      return undefined;
    } finally {
      signals.close();
    }
  }
}

/** Milliseconds. Throws E_USAGE. */
function sinceOf(text: string): number {
  const value = parseSpan(text);
  if (value !== undefined && value > 0) return value;
  throw new FairleadError('E_USAGE', `--since ${JSON.stringify(text)} is not a length of time`, { next: 'Write 30m, 2h or 1d.' });
}
