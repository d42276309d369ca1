import * as Flags from '@oclif/core/flags';
import { argument } from '../../src/cli/argument.ts';
import { DescribeCommand, describeFlags } from '../../src/cli/describe-command.ts';
import type { ServiceDescription } from '../../src/describe/types.ts';
import { FairleadError } from '../../src/errors.ts';

export default class DescribeService extends DescribeCommand {
  static override aliases = ['describe:svc', 'des:service', 'des:svc', 'x:describe:service', 'x:describe:svc'];
  static override summary = 'Describe a service: its routes, subsets, policies and gateways, who sees it, and what has no effect.';
  static override examples = [
    '<%= config.bin %> describe service reviews',
    '<%= config.bin %> describe service reviews.shop -f mesh/ --from productpage.web',
    '<%= config.bin %> des svc api.example.com -o json',
  ];
  static override args = { service: { ...argument('NAME[.NAMESPACE]', 'the service, or its whole host name'), required: true } };
  static override flags = {
    ...describeFlags,
    from: Flags.string({
      helpValue: 'WORKLOAD',
      description: 'who calls it: NAME[.NAMESPACE] [default: any client in the service’s namespace]',
    }),
  };

  async run(): Promise<ServiceDescription> {
    const { args, flags } = await this.parse(DescribeService);
    const name = args.service as string;
    const mesh = await this.openMesh(flags);
    const [{ findHost }, { describeService }, { clientIn }] = await Promise.all([
      import('../../src/edit/routes/service-host.ts'),
      import('../../src/describe/service.ts'),
      import('../../src/describe/clients.ts'),
    ]);
    const { host, service } = findHost(mesh, name, flags.namespace);
    if (service === undefined)
      throw new FairleadError('E_SERVICE_UNKNOWN', `${host} is no service: only VirtualServices name it`, {
        next: `Describe one of these: \`${this.config.bin} describe virtualservice NAME\`, or see \`${this.config.bin} route list\`.`,
      });
    const from = flags.from === undefined ? clientIn(mesh, service.namespace) : await this.workload(mesh, flags.from);
    return this.show(describeService(mesh, service, from), flags.output);
  }
}
