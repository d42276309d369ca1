import { argument } from '../../src/cli/argument.ts';
import { DescribeCommand, describeFlags } from '../../src/cli/describe-command.ts';
import type { WorkloadDescription } from '../../src/describe/types.ts';

export default class DescribeWorkload extends DescribeCommand {
  static override aliases = ['des:workload', 'x:describe:workload'];
  static override summary = 'Describe a workload: what it serves, what it can call, and every policy that it is under.';
  static override examples = [
    '<%= config.bin %> describe workload reviews-v1',
    '<%= config.bin %> des workload ingressgateway.istio-system -f mesh/',
  ];
  static override args = {
    workload: { ...argument('NAME[.NAMESPACE]', 'a WorkloadEntry, pod, gateway, or what owns pods'), required: true },
  };
  static override flags = describeFlags;

  async run(): Promise<WorkloadDescription> {
    const { args, flags } = await this.parse(DescribeWorkload);
    return this.showWorkload(args.workload as string, flags);
  }
}
