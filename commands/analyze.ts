import * as Flags from '@oclif/core/flags';
import { type Baseline, writeBaseline } from '../src/analysis/baseline.ts';
import type { Finding, Level } from '../src/analysis/finding.ts';
import { type FlagSuppression, parseSuppression } from '../src/analysis/suppressions.ts';
import type { AgentConfigAnswer } from '../src/cli/agent-paths.ts';
import { argument } from '../src/cli/argument.ts';
import { BaseCommand } from '../src/cli/base-command.ts';
import { loadBaseline, replaceFile } from '../src/cli/baseline-file.ts';
import { type ClusterSource, type ClustersFlags, clusterSource, clustersFlags } from '../src/cli/cluster-flags.ts';
import type { Look } from '../src/cli/fix-findings.ts';
import * as flags from '../src/cli/flags.ts';
import { type LoadedTexts, loadForAnalysis } from '../src/cli/load-analysis.ts';
import { endStep, markAtOnce, withSteadyHeap } from '../src/config/steady-heap.ts';
import type { FileChange } from '../src/edit/draft.ts';
import { EXIT, FairleadError } from '../src/errors.ts';
import { FINDING_FORMATS, formatFindings, isAtLeast } from '../src/output/findings/format.ts';
import type { FindingJson } from '../src/output/findings/json.ts';
import type { FindingsReport } from '../src/output/findings/report.ts';

const LEVEL_NAMES = ['Error', 'Warning', 'Info'] as const;

export default class Analyze extends BaseCommand {
  static override summary = 'Find what is wrong with a configuration: every check of istioctl analyze, with the exact place.';
  static override description =
    `Reads files, folders (with all below them) and standard input. What no file shows is not guessed: without any Service, Deployment
or Pod hosts are not checked; --complete says that the input is the whole mesh.
Exit code 1 when there is a finding at the level of --fail-on, 3 when something cannot be read.`;
  static override examples = [
    '<%= config.bin %> analyze',
    '<%= config.bin %> analyze mesh/ --fail-on warning',
    'helm template chart | <%= config.bin %> analyze -',
    '<%= config.bin %> analyze --code IST0101',
    '<%= config.bin %> analyze mesh/ --suppress "IST0118=Service shop/*" -o sarif > findings.sarif',
    '<%= config.bin %> analyze mesh/ --write-baseline known.json',
    '<%= config.bin %> analyze --live',
    '<%= config.bin %> analyze -k -A',
    '<%= config.bin %> analyze -k new-routes.yaml',
  ];
  static override strict = false;
  static override args = { path: argument('PATH', 'files, folders, - for standard input [default: ./mesh]') };
  static override flags = {
    config: flags.config,
    kubernetes: { ...clustersFlags.kubernetes, exclusive: ['live', 'agent', 'fix', 'watch'] },
    context: clustersFlags.context,
    'cluster-id': clustersFlags['cluster-id'],
    'istio-namespace': clustersFlags['istio-namespace'],
    namespace: Flags.string({
      char: 'n',
      helpValue: 'NAMESPACE',
      description: 'only findings of this namespace; also the namespace of resources that name none [default: all; default]',
      parse: flags.namespaceName,
    }),
    'all-namespaces': Flags.boolean({
      char: 'A',
      description: 'findings of all namespaces, even with --namespace; with -k an error where not all may be read',
    }),
    'mesh-config': Flags.string({
      aliases: ['meshConfigFile'],
      helpValue: 'FILE',
      description: 'MeshConfig, as in Istio’s ConfigMap key mesh',
    }),
    live: Flags.boolean({
      description: 'what the running agent reads, in its files; with --agent, or FAIRLEAD_AGENT, of that one',
      exclusive: ['config'],
    }),
    // Its environment variable alone does not mean that files are not meant.
    agent: Flags.string({
      helpValue: 'URL',
      description: 'as --live, of this agent: http://HOST:PORT or unix:PATH',
      exclusive: ['config'],
    }),
    recursive: Flags.boolean({ char: 'R', allowNo: true, default: true, description: 'folders inside folders too' }),
    output: flags.output(...FINDING_FORMATS),
    'fail-on': flags.oneOf('fail-on', LEVEL_NAMES, 'lowest level that makes the exit code 1 [default: error]', ['failure-threshold']),
    'output-threshold': flags.oneOf('output-threshold', LEVEL_NAMES, 'lowest level that is shown [default: info]'),
    suppress: Flags.string({
      char: 'S',
      multiple: true,
      helpValue: 'CODE=RESOURCE',
      description: 'hide a code on a resource: "IST0118=Service shop/*"; * stands for any text',
    }),
    baseline: Flags.string({ helpValue: 'FILE', description: 'show only what is not in this file; see --write-baseline' }),
    'write-baseline': Flags.string({ helpValue: 'FILE', description: 'write all findings into a baseline, and exit 0' }),
    complete: Flags.boolean({ description: 'the input is the whole mesh: what is not in it does not exist' }),
    'own-proxies': Flags.boolean({ description: 'the mesh runs on Fairlead’s proxies: say what these do not carry out' }),
    'ignore-unknown': Flags.boolean({ description: 'say nothing of documents that are no objects of a cluster' }),
    watch: Flags.boolean({ char: 'w', description: 'analyze again after every change, until Ctrl-C', exclusive: ['write-baseline'] }),
    fix: Flags.boolean({
      description: 'change the files where a fix is mechanical; comments stay, and what would bring another finding is left',
      exclusive: ['watch', 'write-baseline'],
    }),
    'dry-run': Flags.boolean({ description: 'with --fix: show the changes as a diff, and write nothing', dependsOn: ['fix'] }),
    posture: Flags.boolean({
      description: 'instead of findings: who may call each workload and port, whether by mutual TLS, and whether from outside',
      exclusive: ['fix', 'watch', 'write-baseline'],
    }),
    list: Flags.boolean({ aliases: ['list-analyzers'], char: 'L', description: 'list every code' }),
    code: Flags.string({ helpValue: 'CODE', description: 'explain a code, with examples' }),
  };

  async run(): Promise<unknown> {
    const { argv, flags: typed } = await this.parse(Analyze);
    if (typed.list || typed.code !== undefined) return this.explain(typed.code, typed.output);
    if (!typed.watch) markAtOnce();
    const { paths, ...flags } = await this.inputOf(argv as string[], typed);
    const suppress = (flags.suppress ?? []).map(suppression);
    const baseline = flags.baseline === undefined ? undefined : await loadBaseline(flags.baseline);
    const failOn = (flags['fail-on'] ?? 'Error') as Level;
    if (flags.posture) return this.showPosture(paths, flags);
    const run = () => this.analyzeOnce(paths, { ...flags, suppress, baseline, failOn });
    if (flags.watch) return this.watchAndRun(paths, flags['mesh-config'], run);
    return run();
  }

  /** What is named, or what an agent reads: that is everything, with its namespace, its MeshConfig and its kind of proxies. */
  private async inputOf<Typed extends Named>(
    argv: readonly string[],
    typed: Typed,
  ): Promise<Typed & { paths: string[]; home: string | undefined; cluster: ClusterSource | undefined }> {
    if (!typed.live && typed.agent === undefined) {
      const cluster = clusterSource(typed, { forAnalysis: true });
      const paths = this.configPaths([...argv, ...(typed.config ?? [])], cluster);
      return { ...typed, paths, home: typed.namespace, cluster };
    }
    if (argv.length > 0)
      throw new FairleadError('E_USAGE', `${argv[0]} is named, and the running agent’s configuration is asked for`, {
        next: 'Leave out one of them.',
      });
    const [{ connect }, { agentPaths }] = await Promise.all([import('../agent/connect.ts'), import('../src/cli/agent-paths.ts')]);
    const client = await connect(typed.agent ?? process.env['FAIRLEAD_AGENT']);
    const answer = await client.getJson<AgentConfigAnswer>('/fairlead/v1/config');
    if (answer.state === 'refused')
      process.stderr.write('note: the agent refused this configuration as it is now; what it accepted last still runs\n');
    if (answer.cluster !== undefined)
      throw new FairleadError('E_USAGE', `the agent reads ${answer.cluster}`, { next: 'Analyze that with --kubernetes and --context.' });
    const { paths, meshConfig, namespace } = agentPaths(answer);
    return {
      ...typed,
      paths,
      home: namespace,
      cluster: undefined,
      'mesh-config': typed['mesh-config'] ?? meshConfig,
      'own-proxies': typed['own-proxies'] || answer.engine === 'embedded',
    };
  }

  private async analyzeOnce(paths: readonly string[], options: Options): Promise<FindingJson[]> {
    const { baseline, failOn } = options;
    const looked = options.fix ? await this.fixOnce(paths, options) : await look(paths, options, []);
    if (looked === undefined) return [];
    const { loaded, all, suppressed, unchecked } = looked.loaded;
    if (loaded.problems.some((problem) => problem.rule === 'file/unreadable')) process.exitCode = EXIT.failed;
    if (options['write-baseline'] !== undefined) {
      await replaceFile(options['write-baseline'], writeBaseline(all));
      const text = `${all.length} finding${all.length === 1 ? '' : 's'} written to ${options['write-baseline']}\n`;
      if (!this.jsonEnabled()) this.write(text);
      return [];
    }
    const fresh = baseline === undefined ? all : all.filter((finding) => !baseline.fingerprints.has(finding.fingerprint));
    const findings = looked.chosen;
    if (process.exitCode !== EXIT.failed) process.exitCode = fresh.some(isAtLeast(failOn)) ? EXIT.findings : EXIT.done;
    const report: FindingsReport = {
      findings,
      suppressed,
      known: all.length - fresh.length,
      files: loaded.files.length,
      resources: loaded.resources.length,
      skipped: loaded.skipped,
      unchecked,
      paths: [...paths, ...(options.cluster === undefined ? [] : [options.cluster.name])],
    };
    if (loaded.skipped.size > 0 && (this.jsonEnabled() || (options.output ?? 'text') !== 'text')) {
      const { skippedText } = await import('../src/output/findings/text.ts');
      process.stderr.write(`note: ${skippedText(loaded.skipped)}\n`);
    }
    if (this.jsonEnabled()) {
      const { findingJson } = await import('../src/output/findings/json.ts');
      return findings.map(findingJson);
    }
    const format = { sources: loaded.sources, color: this.color, width: process.stdout.columns ?? 100, version: this.config.version };
    await withSteadyHeap(textSize(loaded), () => this.writeAll(formatFindings(options.output, report, format, failOn)));
    return [];
  }

  /** Fixes what can be fixed, and gives what is left; undefined after a dry run, which shows the changes only. */
  private async fixOnce(paths: readonly string[], options: Options): Promise<Look<Looked> | undefined> {
    if (paths.includes('-'))
      throw new FairleadError('E_USAGE', 'standard input cannot be fixed', { next: 'Name the files or folders to change.' });
    const [{ planFixes }, { writeChanges }, { unifiedDiff }, { formatFixes }] = await Promise.all([
      import('../src/cli/fix-findings.ts'),
      import('../src/edit/write-changes.ts'),
      import('../src/output/diff/unified-diff.ts'),
      import('../src/output/findings/fixes.ts'),
    ]);
    const { changes, fixed, left, after } = await planFixes((overlays) => look(paths, options, overlays));
    const dryRun = options['dry-run'];
    if (dryRun) this.write(unifiedDiff(changes, this.color));
    else await writeChanges(changes);
    process.stderr.write(formatFixes(fixed, left, { files: changes.map(({ file }) => file), dryRun }));
    return dryRun ? undefined : after;
  }

  private async showPosture(paths: readonly string[], options: PostureOptions): Promise<unknown> {
    if (!['text', 'json', 'yaml', undefined].includes(options.output))
      throw new FairleadError('E_USAGE', `--posture has no format ${options.output}`, { next: 'It has text, json and yaml.' });
    const loaded = await loadForAnalysis(paths, {
      namespace: options.home,
      meshConfig: options['mesh-config'],
      recursive: options.recursive,
      besides: options.cluster,
    });
    const [{ analysisModel }, { securityPosture }, { formatPosture }] = await Promise.all([
      import('../src/analysis/model/analysis-model.ts'),
      import('../src/analysis/posture/posture.ts'),
      import('../src/output/findings/posture.ts'),
    ]);
    const errors = loaded.problems.filter(({ severity }) => severity === 'error').length;
    if (errors > 0) {
      process.exitCode = EXIT.failed;
      process.stderr.write(
        `warning: ${errors} error${errors === 1 ? '' : 's'} in the input: what has them is not shown; \`fairlead analyze\` shows them\n`,
      );
    }
    const posture = securityPosture(analysisModel(loaded), options['all-namespaces'] ? undefined : options.namespace);
    return this.print(posture, options.output, () => formatPosture(posture, process.stdout.columns ?? 100));
  }

  /** Until a signal; the exit code is that of the last analysis. */
  private async watchAndRun(paths: readonly string[], meshConfig: string | undefined, run: () => Promise<unknown>): Promise<void> {
    const watched = meshConfig === undefined ? paths : [...paths, meshConfig];
    if (watched.includes('-')) throw new FairleadError('E_USAGE', 'standard input cannot be watched', { next: 'Name a file or a folder.' });
    const { watchPaths } = await import('../agent/watch-paths.ts');
    let running = Promise.resolve();
    const again = (): Promise<void> => {
      running = running.then(async () => {
        process.exitCode = EXIT.done;
        await run();
      });
      return running;
    };
    const ended = new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
    });
    // Watches do not keep a process up by themselves, and signals do not either.
    const awake = setInterval(() => {}, 2 ** 30);
    const watching = await watchPaths(watched, () => void again());
    await again();
    await ended;
    clearInterval(awake);
    watching.close();
    await running;
  }

  private async explain(code: string | undefined, output: string | undefined): Promise<unknown> {
    const { CATALOGUE, messageByCode } = await import('../src/analysis/catalogue/catalogue.ts');
    const { explainMessage, listMessages, messageJson } = await import('../src/output/findings/explain.ts');
    if (code === undefined) return this.print(CATALOGUE.map(messageJson), output, listMessages);
    const message = messageByCode(code);
    if (message === undefined) {
      throw new FairleadError('E_USAGE', `there is no code ${JSON.stringify(code)}`, { next: '`fairlead analyze --list` lists them all.' });
    }
    return this.print(messageJson(message), output, () => explainMessage(message, this.color));
  }
}

/** What is in the files, with some of them changed, and which of the findings are shown. */
async function look(paths: readonly string[], options: Options, overlays: readonly FileChange[]): Promise<Look<Looked>> {
  const loaded = await loadForAnalysis(paths, {
    namespace: options.home,
    meshConfig: options['mesh-config'],
    recursive: options.recursive,
    besides: options.cluster,
    overlays,
  });
  const { analyze } = await import('../src/analysis/analyze.ts');
  endStep(textSize(loaded));
  const { findings, suppressed, unchecked } = await withSteadyHeap(textSize(loaded), () =>
    analyze(loaded, {
      onlyNamespace: options['all-namespaces'] ? undefined : options.namespace,
      suppress: options.suppress,
      // A cluster that was read as a whole is the whole mesh.
      complete: options.complete || options.cluster?.complete(),
      ownProxies: options['own-proxies'],
      ignoreUnknown: options['ignore-unknown'],
    }),
  );
  const known = options.baseline?.fingerprints;
  const fresh = known === undefined ? findings : findings.filter(({ fingerprint }) => !known.has(fingerprint));
  const chosen = fresh.filter(isAtLeast((options['output-threshold'] ?? 'Info') as Level));
  return { loaded: { loaded, all: findings, suppressed, unchecked }, all: findings, chosen };
}

function textSize({ texts }: LoadedTexts): number {
  return texts.reduce((sum, { text }) => sum + text.length, 0);
}

interface Looked {
  loaded: LoadedTexts;
  all: readonly Finding[];
  suppressed: number;
  unchecked: readonly string[];
}

/** What says what is analyzed. */
interface Named extends ClustersFlags {
  live: boolean;
  agent?: string | undefined;
  config?: string[] | undefined;
  namespace?: string | undefined;
  'mesh-config'?: string | undefined;
  'own-proxies': boolean;
}

interface PostureOptions {
  cluster: ClusterSource | undefined;
  /** The namespace of resources that name none. */
  home: string | undefined;
  namespace?: string | undefined;
  'all-namespaces': boolean;
  'mesh-config'?: string | undefined;
  recursive: boolean;
  output?: string | undefined;
}

interface Options {
  cluster: ClusterSource | undefined;
  fix: boolean;
  'dry-run': boolean;
  home: string | undefined;
  namespace?: string | undefined;
  'all-namespaces': boolean;
  'mesh-config'?: string | undefined;
  recursive: boolean;
  output?: string | undefined;
  'output-threshold'?: string | undefined;
  'write-baseline'?: string | undefined;
  complete: boolean;
  'own-proxies': boolean;
  'ignore-unknown': boolean;
  suppress: readonly FlagSuppression[];
  baseline: Baseline | undefined;
  failOn: Level;
}

function suppression(written: string): FlagSuppression {
  const parsed = parseSuppression(written);
  if (parsed !== undefined) return parsed;
  throw new FairleadError('E_USAGE', `--suppress must be CODE=RESOURCE, not ${JSON.stringify(written)}`, {
    next: 'A resource is a kind and a name: "IST0118=Service shop/reviews"; * stands for any text.',
  });
}
