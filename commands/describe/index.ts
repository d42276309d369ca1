import { argument } from '../../src/cli/argument.ts';
import { DescribeCommand, describeFlags, thereAre } from '../../src/cli/describe-command.ts';
import type { Resource } from '../../src/config/resource.ts';
import type { Description } from '../../src/describe/types.ts';
import { FairleadError } from '../../src/errors.ts';
import type { Mesh } from '../../src/mesh/types.ts';

export default class Describe extends DescribeCommand {
  static override aliases = ['des', 'x:describe'];
  static override summary = 'Describe a policy or any other resource: which workloads, routes and ports it touches, and what shadows it.';
  static override description =
    'KIND as kubectl takes it: VirtualService, virtualservices, vs. Services, workloads and pods have commands of their own.';
  static override examples = [
    '<%= config.bin %> describe virtualservice reviews',
    '<%= config.bin %> describe destinationrule reviews.shop -o json',
    '<%= config.bin %> describe authorizationpolicy deny-all -f mesh/',
    '<%= config.bin %> describe service reviews',
  ];
  static override args = {
    kind: { ...argument('KIND', 'the kind: VirtualService, vs, …'), required: true },
    name: { ...argument('NAME[.NAMESPACE]', 'the resource'), required: true },
  };
  static override flags = describeFlags;

  async run(): Promise<Description> {
    const { args, flags } = await this.parse(Describe);
    const { kindByName, kinds } = await import('../../src/config/kinds/registry.ts');
    const [typed, name] = [args.kind as string, args.name as string];
    const kind = kindByName(typed);
    if (kind === undefined)
      throw new FairleadError('E_KIND_UNKNOWN', `there is no kind ${JSON.stringify(typed)}`, {
        next: `Write service, workload or pod, or a kind: ${kinds
          .slice(0, 15)
          .map((k) => k.kind)
          .join(', ')}, …`,
      });
    if (WORKLOADS.has(kind.kind)) return this.showWorkload(name, flags);
    const mesh = await this.openMesh(flags);
    const resource = this.find(mesh, kind.kind, kind.group, name, flags.namespace);
    const { describeResource } = await import('../../src/describe/resource.ts');
    return this.show(describeResource(mesh, resource), flags.output);
  }

  /** `NAME` in the namespace of --namespace, else the only one of that name; `NAME.NAMESPACE`. */
  private find(mesh: Mesh, kind: string, group: string, name: string, namespace: string): Resource {
    const ofKind = mesh.resources.filter((r) => r.kind === kind);
    const own = ofKind.filter((r) => r.group === group);
    // `Gateway` is Istio's and the Gateway API's.
    const all = own.length > 0 ? own : ofKind;
    const exact = (r: Resource): boolean =>
      `${r.metadata.name}.${r.metadata.namespace}` === name || `${r.metadata.namespace}/${r.metadata.name}` === name;
    const named = all.filter((r) => r.metadata.name === name);
    const found = named.find((r) => r.metadata.namespace === namespace) ?? (named.length === 1 ? named[0] : undefined) ?? all.find(exact);
    if (found !== undefined) return found;
    const several = named.length > 1;
    const next = thereAre(
      (several ? named : all).map((r) => (r.metadata.namespace === '' ? r.metadata.name : `${r.metadata.name}.${r.metadata.namespace}`)),
      kind,
    );
    throw new FairleadError(
      'E_USAGE',
      several ? `${name} is the name of several resources of kind ${kind}` : `there is no ${kind} ${name} in this configuration`,
      { next },
    );
  }
}

/** Kinds that are described as what they make. */
const WORKLOADS: ReadonlySet<string> = new Set(['WorkloadEntry', 'Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Pod']);
