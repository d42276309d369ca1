import { argument } from '../../src/cli/argument.ts';
import { DescribeCommand, describeFlags } from '../../src/cli/describe-command.ts';
import type { WorkloadDescription } from '../../src/describe/types.ts';

export default class DescribePod extends DescribeCommand {
  static override aliases = ['describe:po', 'des:pod', 'des:po', 'x:describe:pod', 'x:describe:po'];
  static override summary = 'Describe a pod: what it serves, what it can call, and every policy that it is under.';
  static override examples = ['<%= config.bin %> describe pod reviews-v1-6f7d -f cluster.yaml'];
  static override args = { pod: { ...argument('NAME[.NAMESPACE]', 'the pod, or what owns it'), required: true } };
  static override flags = describeFlags;

  async run(): Promise<WorkloadDescription> {
    const { args, flags } = await this.parse(DescribePod);
    return this.showWorkload(args.pod as string, flags, 'pod');
  }
}
