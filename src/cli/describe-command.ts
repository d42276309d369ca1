/** What the commands that describe share: they read the configuration and show one description. */
import * as Flags from '@oclif/core/flags';
import type { Description, WorkloadDescription } from '../describe/types.ts';
import { FairleadError } from '../errors.ts';
import type { Mesh, ProxyNode } from '../mesh/types.ts';
import { BaseCommand } from './base-command.ts';
import { type ClustersFlags, clusterSource, clustersFlags, wrongObjects } from './cluster-flags.ts';
import * as flags from './flags.ts';

export const describeFlags = {
  config: flags.config,
  ...clustersFlags,
  namespace: flags.namespace,
  'mesh-config': Flags.string({ helpValue: 'FILE', description: 'a file with a MeshConfig' }),
  output: flags.output('text', 'json', 'yaml'),
};

interface Choice extends ClustersFlags {
  config?: string[] | undefined;
  namespace: string;
  'mesh-config'?: string | undefined;
}

export abstract class DescribeCommand extends BaseCommand {
  /** Throws E_CONFIG_UNREADABLE, E_CONFIG_INVALID, E_USAGE. */
  protected async openMesh(choice: Choice): Promise<Mesh> {
    const [{ loadConfig }, { buildMesh }] = await Promise.all([import('../config/load.ts'), import('../mesh/mesh.ts')]);
    const besides = clusterSource(choice);
    const paths = this.configPaths(choice.config, besides);
    const { namespace } = choice;
    const loaded = await loadConfig(paths, { namespace, meshConfig: choice['mesh-config'], besides, leaveOut: true });
    const wrong = wrongObjects(loaded.problems);
    if (wrong !== undefined) process.stderr.write(`warning: ${wrong}\n`);
    const errors = loaded.problems.filter((p) => p.severity === 'error');
    if (errors.length > 0) {
      const code = errors.some((p) => p.rule === 'file/unreadable') ? 'E_CONFIG_UNREADABLE' : 'E_CONFIG_INVALID';
      throw new FairleadError(code, `the configuration has ${errors.length === 1 ? 'an error' : `${errors.length} errors`}`, {
        problems: errors,
      });
    }
    return buildMesh(loaded.resources, { meshConfig: loaded.meshConfig, meshConfigSource: loaded.meshConfigSource });
  }

  protected async show<T extends Description>(description: T, format: string | undefined): Promise<T> {
    const { descriptionText } = await import('../output/describe/text.ts');
    const canvas = { color: this.color, width: Math.max(40, process.stdout.columns ?? 100) };
    return this.print(description, format, () => descriptionText(description, canvas));
  }

  /** The proxy that a name means. Throws E_PROXY_UNKNOWN with the names there are. */
  protected async workload(mesh: Mesh, name: string, only?: 'pod'): Promise<ProxyNode> {
    const { findProxy } = await import('../mesh/proxies.ts');
    const found = findProxy(mesh, name);
    if (!('candidates' in found) && (only === undefined || isPod(found))) return found;
    const { everyProxy } = await import('../mesh/proxies.ts');
    const names = everyProxy(mesh).filter((p) => only === undefined || isPod(p));
    const several =
      'candidates' in found && found.candidates.length > 1 && found.candidates.every((c) => c === name || c.startsWith(`${name}.`));
    const what = only ?? 'workload';
    throw new FairleadError(
      'E_PROXY_UNKNOWN',
      several ? `${name} is the name of several ${what}s` : `there is no ${what} ${name} in this configuration`,
      {
        next: thereAre(
          names.map((p) => `${p.name}.${p.namespace}`),
          what,
        ),
      },
    );
  }

  protected async showWorkload(args: string, choice: Choice & { output?: string | undefined }, only?: 'pod'): Promise<WorkloadDescription> {
    const mesh = await this.openMesh(choice);
    const proxy = await this.workload(mesh, args, only);
    const { describeWorkload } = await import('../describe/workload.ts');
    return this.show(describeWorkload(mesh, proxy, only ?? 'workload'), choice.output);
  }
}

const isPod = ({ workload }: ProxyNode): boolean => workload.kind === 'Pod' && workload.resource?.kind === 'Pod';

/** One sentence with the names to choose from. */
export function thereAre(names: readonly string[], what: string): string {
  const sorted = [...new Set(names)].sort();
  if (sorted.length === 0) return `It has no ${what} at all.`;
  return `There ${sorted.length === 1 ? 'is' : 'are'}: ${sorted.slice(0, 20).join(', ')}${sorted.length > 20 ? ` and ${sorted.length - 20} more` : ''}.`;
}
