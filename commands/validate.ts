import * as Flags from '@oclif/core/flags';
import { argument } from '../src/cli/argument.ts';
import { BaseCommand } from '../src/cli/base-command.ts';
import { clusterSource, clustersFlags, sourceName } from '../src/cli/cluster-flags.ts';
import * as flags from '../src/cli/flags.ts';
import { loadConfig } from '../src/config/load.ts';
import { EXIT, type Problem } from '../src/errors.ts';
import { FINDING_FORMATS, formatFindings } from '../src/output/findings/format.ts';

export interface ValidateResult {
  files: number;
  resources: number;
  errors: number;
  warnings: number;
  problems: readonly Problem[];
}

/** Formats for machines that show findings beside code. */
const CODE_HOSTS = new Set(['sarif', 'junit', 'github']);

export default class Validate extends BaseCommand {
  static override aliases = ['v'];
  static override summary = 'Check configuration against its schemas and rules: every error of every file, with its line.';
  static override description = 'Exit code 1 when there are errors, or with --strict any warning; 3 when something cannot be read.';
  static override examples = [
    '<%= config.bin %> validate',
    '<%= config.bin %> validate mesh/ extra.yaml',
    '<%= config.bin %> validate mesh/ -o github',
    'helm template chart | <%= config.bin %> validate -',
  ];
  static override strict = false;
  static override args = { path: argument('PATH', 'files, folders, - for standard input [default: ./mesh]') };
  static override flags = {
    config: flags.config,
    ...clustersFlags,
    namespace: flags.namespace,
    output: flags.output(...FINDING_FORMATS),
    quiet: flags.quiet,
    strict: Flags.boolean({ description: 'warnings fail too' }),
  };

  async run(): Promise<ValidateResult> {
    const { argv, flags } = await this.parse(Validate);
    const besides = clusterSource(flags);
    const paths = this.configPaths([...(argv as string[]), ...(flags.config ?? [])], besides);
    const loaded = await loadConfig(paths, { namespace: flags.namespace, besides });
    const { files, resources, problems, sources } = loaded;
    const errors = problems.filter((p) => p.severity === 'error').length;
    const result = { files: files.length, resources: resources.length, errors, warnings: problems.length - errors, problems };
    if (problems.some((p) => p.rule === 'file/unreadable')) process.exitCode = EXIT.failed;
    else if (errors > 0 || (flags.strict && problems.length > 0)) process.exitCode = EXIT.findings;
    if (CODE_HOSTS.has(flags.output ?? '') && !this.jsonEnabled()) {
      // The same findings as of analyze, by the rules of single objects alone.
      const { analyze } = await import('../src/analysis/analyze.ts');
      const { findings, suppressed } = await analyze(loaded, { analyzers: [] });
      const report = { findings, suppressed, known: 0, files: files.length, resources: resources.length, skipped: loaded.skipped, paths };
      const pieces = formatFindings(flags.output, report, { version: this.config.version }, flags.strict ? 'Warning' : 'Error');
      await this.writeAll(pieces);
      return result;
    }
    const { formatProblems } = await import('../src/output/problems.ts');
    const found =
      problems.length === 0 ? '' : await formatProblems(problems, { sources, color: this.color, width: process.stdout.columns ?? 100 });
    return this.print(result, flags.output, () => found || (flags.quiet ? '' : fine(result, sourceName(paths, besides))));
  }
}

/** What there is to say when nothing is wrong; a folder in which nothing was found is most likely the wrong one. */
function fine({ files, resources }: ValidateResult, from: string): string {
  const count = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`;
  const be = resources === 1 ? 'is' : 'are';
  if (files === 0 && resources > 0) return `${count(resources, 'resource')} of ${from} ${be} valid`;
  if (files === 0) return `there is nothing to check: no .yaml, .yml or .json file in ${from}`;
  if (resources === 0) return `there is nothing to check: no resource of a mesh in ${count(files, 'file')}`;
  return `${count(resources, 'resource')} in ${count(files, 'file')} ${be} valid`;
}
