import { argument } from '../../src/cli/argument.ts';
import * as flags from '../../src/cli/flags.ts';
import { RouteCommand, readFlags } from '../../src/cli/route-command.ts';
import type { DestinationRule, VirtualService } from '../../src/config/kinds/networking.ts';
import { formatPosition, originOf, type Resource } from '../../src/config/resource.ts';

export interface RouteShown {
  host: string;
  resources: readonly { origin: string; position: string; spec: VirtualService | DestinationRule }[];
}

export default class RouteShow extends RouteCommand {
  static override summary = 'Show the VirtualServices and the DestinationRule that route a service’s requests, as they are written.';
  static override examples = ['<%= config.bin %> route show reviews', '<%= config.bin %> route show reviews -o yaml'];
  static override args = { service: { ...argument('SERVICE', 'whose routes'), required: true } };
  static override flags = { ...readFlags, output: flags.output('text', 'json', 'yaml') };

  async run(): Promise<RouteShown> {
    const { args, flags } = await this.parse(RouteShow);
    const opened = await this.openMesh(flags);
    const { mesh } = opened;
    const [{ routesOf }, { ruleOf }, { findHost }, { writtenText }] = await Promise.all([
      import('../../src/edit/routes/find-routes.ts'),
      import('../../src/edit/routes/split.ts'),
      import('../../src/edit/routes/service-host.ts'),
      import('../../src/edit/written-text.ts'),
    ]);
    const target = findHost(mesh, args.service as string, flags.namespace);
    const rule = ruleOf(mesh, target);
    const resources: Resource<VirtualService | DestinationRule>[] = [
      ...new Set(routesOf(mesh, target.host).flatMap((r) => [r.resource, ...r.entries.map((e) => e.resource)])),
      ...(rule ? [rule] : []),
    ];
    const at = (resource: Resource): string => formatPosition(resource.source.positionOf(['spec']));
    const shown = { host: target.host, resources: resources.map((r) => ({ origin: originOf(r), position: at(r), spec: r.spec })) };
    return this.print(shown, flags.output, () => {
      if (resources.length === 0) return `nothing routes requests for ${target.host}: all of its endpoints share them`;
      return resources.map((r) => `# ${at(r)}  ${originOf(r)}\n${writtenText(r).trim()}\n`).join('\n');
    });
  }
}
