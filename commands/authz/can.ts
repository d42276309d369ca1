import * as Flags from '@oclif/core/flags';
import type { Permission } from '../../src/authz/types.ts';
import { argument } from '../../src/cli/argument.ts';
import { BaseCommand } from '../../src/cli/base-command.ts';
import { clusterSource, clustersFlags } from '../../src/cli/cluster-flags.ts';
import * as flags from '../../src/cli/flags.ts';
import { EXIT } from '../../src/errors.ts';

export default class AuthzCan extends BaseCommand {
  static override summary = 'Ask whether a client may do something at a workload: yes or no, and by which rule.';
  static override description =
    `Asks the Envoy config that the workload's own proxy runs, with the client's identity as mutual TLS proves it; how requests are routed to the workload is
\`fairlead explain\`'s affair. SRC is a workload, NAMESPACE/ACCOUNT, a SPIFFE ID, a DNS name of a certificate, or anonymous: somebody without a
certificate. Exit code 0 for yes, 1 for no, 3 when it depends on somebody who cannot be asked here (see --ext-authz), 2 for wrong usage.`;
  static override examples = [
    '<%= config.bin %> authz can web payments GET /pay/1',
    '<%= config.bin %> authz can shop/web payments POST /pay/1 -H "x-tenant: a" -f mesh/',
    '<%= config.bin %> authz can anonymous payments GET /health && echo open',
    '<%= config.bin %> authz can web payments GET /admin --jwt-claims \'{"sub": "ann", "groups": ["admin"]}\'',
  ];
  static override args = {
    source: { ...argument('SRC', 'who asks'), required: true },
    destination: { ...argument('DST', 'the workload that is asked: NAME[.NAMESPACE]'), required: true },
    method: { ...argument('METHOD', 'the method'), required: true },
    path: { ...argument('PATH', 'the path, with its query'), required: true },
  };
  static override flags = {
    config: flags.config,
    ...clustersFlags,
    namespace: flags.namespace,
    'mesh-config': Flags.string({ helpValue: 'FILE', description: 'a file with a MeshConfig' }),
    port: Flags.integer({ helpValue: 'N', min: 1, max: 65_535, description: 'the port of the workload [default: its first]' }),
    host: Flags.string({ helpValue: 'HOST', description: 'the host that the request is for [default: the workload’s service]' }),
    header: Flags.string({ char: 'H', multiple: true, helpValue: "'NAME: VALUE'", description: 'a header of the request' }),
    'jwt-claims': Flags.string({ helpValue: 'JSON', description: 'the payload of a token that is taken as genuine' }),
    'source-ip': Flags.string({ helpValue: 'IP', description: 'the client’s address [default: the workload’s, else 127.0.0.1]' }),
    'ext-authz': Flags.string({ options: ['allow', 'deny'], description: 'what external authorization answers' }),
    output: flags.output('text', 'json', 'yaml'),
  };

  async run(): Promise<Permission> {
    const { args, flags } = await this.parse(AuthzCan);
    const besides = clusterSource(flags);
    const { canDo } = await import('../../src/cli/authz.ts');
    const question = args as { source: string; destination: string; method: string; path: string };
    const paths = this.configPaths(flags.config, besides);
    const found = await canDo(paths, { ...flags, besides }, question, (text) => process.stderr.write(`warning: ${text}\n`));
    process.exitCode = { yes: EXIT.done, no: EXIT.findings, depends: EXIT.failed }[found.answer];
    const { permissionText } = await import('../../src/output/authz/can.ts');
    const canvas = { color: this.color, width: Math.max(40, process.stdout.columns ?? 100) };
    return this.print(found, flags.output, () => permissionText(found, canvas));
  }
}
