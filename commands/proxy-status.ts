import * as Flags from '@oclif/core/flags';
import { agentClient } from '../agent/client.ts';
import { argument } from '../src/cli/argument.ts';
import { BaseCommand } from '../src/cli/base-command.ts';
import { clusterFlags } from '../src/cli/cluster-flags.ts';
import * as flags from '../src/cli/flags.ts';
import { podChoice, remoteFlags } from '../src/cli/remote-flags.ts';
import { EXIT, FairleadError } from '../src/errors.ts';
import { proxyStatusText, type ShownStatus } from '../src/output/agent-status.ts';
import type { ShownClusterProxies } from '../src/output/cluster-proxies.ts';

export default class ProxyStatus extends BaseCommand {
  static override aliases = ['ps'];
  static override summary = 'Show every proxy: in sync, stale or refused, since when, and why.';
  static override description =
    `Of this node's agent; with -k of the pods of a cluster that have a proxy, Fairlead's or Istio's own, which are asked several at once. One that cannot be asked
is a row like the others. What Istio's Envoys tell of themselves: SYNCED, a stream to the control plane is open; STALE, there is none; ERROR, something is refused now; STATIC, there is no control plane.
Exit code 1 when something is refused, 3 when a proxy could not be asked.`;
  static override examples = [
    '<%= config.bin %> proxy-status',
    '<%= config.bin %> ps --agent http://127.0.0.1:15000 -o json',
    '<%= config.bin %> ps -k -n shop',
    '<%= config.bin %> ps -k deployment/web.shop',
  ];
  static override args = { pod: argument('POD[.NAMESPACE]', 'with -k: only this one; also deployment/NAME[.NAMESPACE]') };
  static override flags = {
    agent: flags.agent,
    kubernetes: { ...clusterFlags.kubernetes, description: 'the proxies of the kubeconfig’s cluster', exclusive: ['agent', 'verbose'] },
    context: clusterFlags.context,
    'all-namespaces': clusterFlags['all-namespaces'],
    namespace: Flags.string({
      char: 'n',
      helpValue: 'NAMESPACE',
      description: 'only proxies of this namespace [default: all]',
      dependsOn: ['kubernetes'],
      exclusive: ['all-namespaces'],
      parse: flags.namespaceName,
    }),
    output: flags.output('table', 'json', 'yaml'),
    verbose: Flags.boolean({ char: 'v', description: 'one column for each type of config' }),
    ...remoteFlags,
  };

  async run(): Promise<ShownStatus | ShownClusterProxies> {
    const { args, flags } = await this.parse(ProxyStatus);
    if (flags.kubernetes) return this.ofCluster(args.pod, flags);
    if (args.pod !== undefined)
      throw new FairleadError('E_USAGE', `${JSON.stringify(args.pod)} names a pod, and no cluster is asked`, { next: 'Add -k.' });
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

  private async ofCluster(
    pod: string | undefined,
    flags: Parameters<typeof podChoice>[1] & { 'all-namespaces': boolean; output?: string | undefined },
  ): Promise<ShownClusterProxies> {
    const [{ clusterProxies }, { clusterProxiesText }] = await Promise.all([
      import('../agent/cluster-proxies.ts'),
      import('../src/output/cluster-proxies.ts'),
    ]);
    const live = Boolean(process.stderr.isTTY) && !this.jsonEnabled();
    const found = await clusterProxies({
      ...podChoice('', flags),
      namespace: flags.namespace,
      pods: pod === undefined ? [] : [pod],
      allNamespaces: flags['all-namespaces'],
      ...(live && { progress: (done, of) => process.stderr.write(`\r\u001b[K${done} of ${of} proxies`) }),
    });
    if (live) process.stderr.write('\r\u001b[K');
    for (const note of found.notes) process.stderr.write(`note: ${note}\n`);
    const shown: ShownClusterProxies = {
      context: found.context,
      notes: found.notes,
      proxies: found.proxies.map(({ name, facts, error }) => ({
        name,
        ...(facts === undefined ? { sync: 'UNREACHABLE', problems: [] } : { ...facts, proxies: undefined }),
        ...(error === undefined ? {} : { error }),
      })),
    };
    if (shown.proxies.some((p) => p.error !== undefined)) process.exitCode = EXIT.failed;
    else if (shown.proxies.some((p) => p.problems.length > 0)) process.exitCode = EXIT.findings;
    return this.print(shown, flags.output, (s) => clusterProxiesText(s, Date.now()));
  }
}
