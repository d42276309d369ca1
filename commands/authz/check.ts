import * as Flags from '@oclif/core/flags';
import { connect } from '../../agent/connect.ts';
import type { LoadedPolicy, WorkloadPolicies } from '../../src/authz/types.ts';
import { argument } from '../../src/cli/argument.ts';
import { BaseCommand } from '../../src/cli/base-command.ts';
import { clusterSource, clustersFlags } from '../../src/cli/cluster-flags.ts';
import * as flags from '../../src/cli/flags.ts';

export default class AuthzCheck extends BaseCommand {
  static override aliases = ['x:authz:check', 'experimental:authz:check'];
  static override summary = 'Show the policies on a workload as people read them.';
  static override description =
    `From configuration (-f, -k; ./mesh when it is there): every rule in words with its line, mutual TLS by port, tokens, dry runs. Without a workload:
of all that are under a policy. Of a running proxy (--agent) or a dump (--file): the policies that it has loaded, in istioctl's columns.`;
  static override examples = [
    '<%= config.bin %> authz check payments',
    '<%= config.bin %> authz check payments.shop -f mesh/ -o json',
    '<%= config.bin %> authz check --file config_dump.json',
  ];
  static override args = { workload: argument('WORKLOAD', 'NAME[.NAMESPACE]') };
  static override flags = {
    config: flags.config,
    ...clustersFlags,
    kubernetes: { ...clustersFlags.kubernetes, exclusive: ['agent', 'file'] },
    namespace: flags.namespace,
    'mesh-config': Flags.string({ helpValue: 'FILE', description: 'a file with a MeshConfig' }),
    agent: flags.agent,
    file: Flags.string({ helpValue: 'DUMP', description: 'a saved config_dump (JSON), - for standard input', exclusive: ['agent'] }),
    output: flags.output('text', 'json', 'yaml'),
  };

  async run(): Promise<readonly LoadedPolicy[] | readonly WorkloadPolicies[]> {
    const { args, flags } = await this.parse(AuthzCheck);
    const besides = clusterSource(flags);
    const { checkLoaded, checkMesh, readsProxy } = await import('../../src/cli/authz.ts');
    if (readsProxy(flags, besides)) {
      const around = {
        connect: () => connect(flags.agent),
        warn: (text: string) => process.stderr.write(`warning: ${text}\n`),
        version: this.config.version,
      };
      const loaded = await checkLoaded({ ...flags, proxy: args.workload }, around);
      const { formatTable } = await import('../../src/output/table.ts');
      const rows = loaded.map(({ action, policy, rules }) => [action, policy, String(rules)]);
      return this.print(loaded, flags.output, () => formatTable({ columns: ['ACTION', 'AuthorizationPolicy', 'RULES'], rows }));
    }
    const paths = this.configPaths(flags.config, besides);
    const found = await checkMesh(paths, { ...flags, besides }, args.workload, (text) => process.stderr.write(`warning: ${text}\n`));
    const { policiesText } = await import('../../src/output/authz/check.ts');
    const canvas = { color: this.color, width: Math.max(40, process.stdout.columns ?? 100) };
    return this.print(found, flags.output, () => policiesText(found, canvas));
  }
}
