import * as Flags from '@oclif/core/flags';
import { connect } from '../agent/connect.ts';
import { argument } from '../src/cli/argument.ts';
import { BaseCommand } from '../src/cli/base-command.ts';
import { clusterSource, clustersFlags } from '../src/cli/cluster-flags.ts';
import * as flags from '../src/cli/flags.ts';
import type { MeshDiff } from '../src/diff/mesh-diff.ts';
import { EXIT, FairleadError } from '../src/errors.ts';

/** As `-o json` gives it: resources by name, without their content. */
export type DiffResult = { before: string; after: string } & MeshDiff;

export default class Diff extends BaseCommand {
  static override summary = 'Show what a change of configuration changes: in every proxy’s Envoy config, by cause, and for requests.';
  static override description =
    `Compares two folders, a folder with a revision of its git repository (--against), a folder with what this node's proxies run (--live), or a cluster
as it is with what it would be with a folder applied (-k).
The order of keys never counts, nor do comments and line numbers. Requests at the boundaries of the routes concerned, and those of the test files
beside the configuration, are explained on both sides; those that would end otherwise are listed. Exit code 0 without a difference, 1 with one.`;
  static override usage = ['diff OLD NEW', 'diff [NEW] --against REVISION', 'diff [NEW] --live', 'diff [NEW] -k'];
  static override examples = [
    '<%= config.bin %> diff --against main',
    '<%= config.bin %> diff mesh/ mesh-next/ --proxy web',
    '<%= config.bin %> diff --live -o json',
    '<%= config.bin %> diff -k mesh/',
  ];
  static override args = { old: argument('OLD', 'a file or folder'), new: argument('NEW', 'another one [default: ./mesh]') };
  static override flags = {
    against: Flags.string({ helpValue: 'REVISION', description: 'compare with this branch, tag or commit', exclusive: ['live'] }),
    ...clustersFlags,
    kubernetes: { ...clustersFlags.kubernetes, exclusive: ['against', 'live'] },
    live: Flags.boolean({ description: 'compare with what the agent’s proxies run now' }),
    agent: flags.agent,
    proxy: Flags.string({ helpValue: 'NAME', description: 'only this proxy: NAME[.NAMESPACE]' }),
    namespace: flags.namespace,
    output: flags.output('text', 'json', 'yaml'),
  };

  async run(): Promise<DiffResult> {
    const { args, flags } = await this.parse(Diff);
    const { against, live, proxy, namespace } = flags;
    const cluster = clusterSource(flags);
    const one = against !== undefined || live || cluster !== undefined;
    if (one && args.new !== undefined)
      throw new FairleadError('E_USAGE', `--${live ? 'live' : cluster ? 'kubernetes' : 'against'} compares one folder; two are named`);
    if (!one && args.old !== undefined && args.new === undefined)
      throw new FairleadError('E_USAGE', 'name what to compare with', { next: 'Another folder, --against REVISION, --live, or -k.' });
    if (!one && args.old === undefined)
      throw new FairleadError('E_USAGE', 'say what to compare', { next: 'Two folders, --against REVISION, --live, or -k.' });
    const paths = this.configPaths(one ? (args.old === undefined ? undefined : [args.old]) : [args.new as string]);
    const [{ computeSide, liveSide, recallFrom }, { meshDiff }, { pathSource }, { gitSource }] = await Promise.all([
      import('../src/cli/diff-sides.ts'),
      import('../src/diff/mesh-diff.ts'),
      import('../src/config/sources/path-source.ts'),
      import('../src/config/sources/git-source.ts'),
    ]);
    const memo = new Map();
    const oldSource = cluster ?? (against === undefined ? pathSource([args.old ?? '.']) : gitSource(paths, against));
    const computed = live ? undefined : await computeSide(oldSource, { namespace, proxy, memo, previous: undefined });
    const before = computed ?? (await liveSide(await connect(flags.agent), proxy));
    if (!one) recallFrom(memo, args.old as string, args.new as string);
    let after = await computeSide(pathSource(paths), { namespace, proxy, memo, previous: computed, besides: cluster });
    // An agent runs the proxies of its own node only.
    if (live) after = { ...after, views: new Map([...after.views].filter(([name]) => before.views.has(name))) };
    let compared = meshDiff(live ? { ...before, resources: after.resources } : before, after, after.mesh.config.domain);
    if (computed !== undefined && compared.causes.some(({ effects }) => effects.length > 0)) {
      const [{ testedBehaviour }, { mergeBehaviour }] = await Promise.all([
        import('../src/cli/diff-tests.ts'),
        import('../src/diff/behaviour.ts'),
      ]);
      const { changes, tried } = await testedBehaviour(paths, computed.mesh, after.mesh);
      compared = { ...compared, behaviour: mergeBehaviour([...compared.behaviour, ...changes]), tried: compared.tried + tried };
    }
    const from = live ? 'what runs' : (cluster?.name ?? against ?? (args.old as string));
    const names = { before: from, after: cluster === undefined ? paths.join(', ') : `${cluster.name} with ${paths.join(', ')}` };
    if (after.leftOut > 0)
      process.stderr.write(
        `note: ${after.leftOut} proxies are left out, one of each namespace stands for them; --proxy NAME compares one\n`,
      );
    const different = compared.causes.length > 0 || compared.addedProxies.length + compared.removedProxies.length > 0;
    if (different) process.exitCode = EXIT.findings;
    const { meshDiffText } = await import('../src/output/mesh-diff/mesh-diff-text.ts');
    const causes = compared.causes.map(({ config, effects }) => {
      if (config === undefined) return { config, effects };
      const { resource: _, ...shown } = config;
      return { config: shown, effects };
    });
    const result = { ...names, ...compared, causes } as DiffResult;
    return this.print(result, flags.output, () => meshDiffText(compared, names, this.color));
  }
}
