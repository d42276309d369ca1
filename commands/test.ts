import * as Flags from '@oclif/core/flags';
import { argument } from '../src/cli/argument.ts';
import { BaseCommand } from '../src/cli/base-command.ts';
import { type ClustersFlags, clusterSource, clustersFlags } from '../src/cli/cluster-flags.ts';
import * as flags from '../src/cli/flags.ts';
import { runTestFiles, type TestPaths, testPaths } from '../src/cli/route-tests.ts';
import { EXIT, FairleadError } from '../src/errors.ts';
import type { TestReport } from '../src/explain/test/types.ts';

export default class Test extends BaseCommand {
  static override summary = 'Test routes and policies: requests against what has to come of them, with coverage.';
  static override description =
    `Tests are *.mesh-test.yaml files beside the configuration (docs/test.md), or tests of Envoy's router_check_tool. Each request is explained by
the very Envoy config that a proxy runs; nothing is sent. Exit code 1 when a test fails or coverage is too low, 2 for wrong usage, 3 when tests
or configuration cannot be read. With --record the arguments are URLs, and a file of tests is written from what explain says of them today.`;
  static override usage = ['test [FILE|FOLDER…]', 'test --record URL…'];
  static override examples = [
    '<%= config.bin %> test',
    '<%= config.bin %> test mesh/ --coverage --fail-under 80',
    '<%= config.bin %> test checkout.mesh-test.yaml -f mesh/ --watch',
    '<%= config.bin %> test -o junit > report.xml',
    '<%= config.bin %> test --record http://reviews:9080/ http://ratings:9080/ --from productpage',
    '<%= config.bin %> test router-check.json -f mesh/ --gateway shop',
  ];
  static override strict = false;
  static override args = { path: argument('PATH', 'files and folders of tests [default: beside the configuration]; with --record: URLs') };
  static override flags = {
    config: Flags.string({
      char: 'f',
      multiple: true,
      helpValue: 'PATH',
      description: 'files or folders of configuration, - for standard input [default: ./mesh when it exists, else where the tests are]',
    }),
    ...clustersFlags,
    kubernetes: { ...clustersFlags.kubernetes, exclusive: ['watch'] },
    namespace: flags.namespace,
    'mesh-config': Flags.string({ helpValue: 'FILE', description: 'a file with a MeshConfig' }),
    from: Flags.string({ helpValue: 'WORKLOAD', description: 'who sends, for tests that do not say', exclusive: ['gateway', 'to'] }),
    to: Flags.string({
      helpValue: 'WORKLOAD',
      description: 'whose proxy receives, for tests that do not say',
      exclusive: ['gateway', 'from'],
    }),
    gateway: Flags.string({ helpValue: 'NAME', description: 'the gateway that requests come through, for tests that do not say' }),
    filter: Flags.string({ helpValue: 'TEXT', description: 'only tests with this in their name' }),
    coverage: Flags.boolean({ description: 'how much of routes, destinations and policies is tested, and what is not' }),
    'fail-under': flags.percent('fail-under', 'exit code 1 when coverage is lower'),
    watch: Flags.boolean({ char: 'w', description: 'test again after every save, until Ctrl-C', exclusive: ['record'] }),
    output: flags.output('text', 'json', 'yaml', 'junit', 'github'),
    quiet: flags.quiet,
    record: Flags.boolean({
      description: 'write a file of tests from what explain says of the URLs',
      exclusive: ['filter', 'coverage', 'fail-under'],
    }),
    write: Flags.string({
      helpValue: 'FILE',
      description: 'with --record: where to, - for standard output [default: recorded.mesh-test.yaml beside the configuration]',
      dependsOn: ['record'],
    }),
    force: Flags.boolean({ description: 'with --record: overwrite the file', dependsOn: ['record'] }),
    method: Flags.string({ helpValue: 'METHOD', description: 'with --record: the method [default: GET]', dependsOn: ['record'] }),
    header: Flags.string({
      char: 'H',
      multiple: true,
      helpValue: "'NAME: VALUE'",
      description: 'with --record: a header of the requests',
      dependsOn: ['record'],
    }),
  };

  async run(): Promise<unknown> {
    const { argv, flags } = await this.parse(Test);
    const words = argv as string[];
    if (flags.record) return this.record(words, flags);
    const paths = testPaths(words, flags.config, clusterSource(flags));
    const once = () => this.testOnce(paths, flags);
    return flags.watch ? this.watchAndTest(paths, flags['mesh-config'], once) : once();
  }

  private async testOnce(paths: TestPaths, flags: TestFlags): Promise<TestReport> {
    const failUnder = flags['fail-under'];
    const report = await runTestFiles(
      paths,
      { ...flags, besides: clusterSource(flags), coverage: flags.coverage || failUnder !== undefined },
      (text) => process.stderr.write(`warning: ${text}\n`),
    );
    const under = report.coverage !== undefined && failUnder !== undefined && report.coverage.percent < failUnder;
    process.exitCode = report.failed > 0 || under ? EXIT.findings : EXIT.done;
    if (flags.output === 'junit' && !this.jsonEnabled()) {
      this.write((await import('../src/output/route-test/junit.ts')).testJunit(report, failUnder));
      return report;
    }
    if (flags.output === 'github' && !this.jsonEnabled()) {
      this.write((await import('../src/output/route-test/github.ts')).testGithub(report, failUnder));
      return report;
    }
    const { percentText, testText } = await import('../src/output/route-test/text.ts');
    const canvas = { color: this.color, width: Math.max(40, process.stdout.columns ?? 100), quiet: flags.quiet };
    await this.print(report, flags.output, () => testText(report, canvas));
    if (under) process.stderr.write(`fairlead: coverage is ${percentText(report.coverage!.percent)}, under ${failUnder} %\n`);
    return report;
  }

  /** Until a signal; the exit code is that of the last run. */
  private async watchAndTest({ config, tests }: TestPaths, meshConfig: string | undefined, once: () => Promise<unknown>): Promise<void> {
    const watched = [...new Set([...config, ...tests, ...(meshConfig === undefined ? [] : [meshConfig])])];
    if (watched.includes('-')) throw new FairleadError('E_USAGE', 'standard input cannot be watched', { next: 'Name a file or a folder.' });
    const { watchPaths } = await import('../agent/watch-paths.ts');
    let running = Promise.resolve();
    const again = (): Promise<void> => {
      running = running.then(async () => {
        try {
          await once();
        } catch (error) {
          const { reportError } = await import('../src/cli/report-error.ts');
          process.exitCode = await reportError(error, process.argv.slice(2));
        }
      });
      return running;
    };
    const ended = new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
    });
    const changed = (): void => {
      if (process.stdout.isTTY) this.write(`\n── ${new Date().toLocaleTimeString('en-GB')} ──\n\n`);
      void again();
    };
    const watching = await watchPaths(watched, changed);
    // Neither watchers nor signals keep a process alive.
    const alive = setInterval(() => {}, 2 ** 30);
    await again();
    await ended;
    clearInterval(alive);
    watching.close();
    await running;
  }

  private async record(urls: readonly string[], flags: TestFlags): Promise<unknown> {
    const { recordTests } = await import('../src/cli/record-tests.ts');
    const besides = clusterSource(flags);
    const { recordedText } = await import('../src/output/route-test/recorded.ts');
    const { tests, file, text } = await recordTests(urls, this.configPaths(flags.config, besides), { ...flags, besides }, recordedText);
    if (this.jsonEnabled()) return { file, tests };
    if (flags.output === 'json' || flags.output === 'yaml') return this.print({ file, tests }, flags.output, () => '');
    if (file === undefined) this.write(text);
    else this.write(`${tests.length} test${tests.length === 1 ? '' : 's'} written to ${file}\n`);
    return { file, tests };
  }
}

interface TestFlags extends ClustersFlags {
  config?: string[] | undefined;
  namespace?: string | undefined;
  'mesh-config'?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  gateway?: string | undefined;
  filter?: string | undefined;
  coverage: boolean;
  'fail-under'?: number | undefined;
  output?: string | undefined;
  quiet: boolean;
  write?: string | undefined;
  force: boolean;
  method?: string | undefined;
  header?: string[] | undefined;
}
