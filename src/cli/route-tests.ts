/** Route tests from files, run against the configuration beside them. */
import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ConfigSource } from '../config/sources/config-source.ts';
import { pathSource } from '../config/sources/path-source.ts';
import { FairleadError, type Problem } from '../errors.ts';
import { collectCoverage } from '../explain/test/coverage.ts';
import { readTests } from '../explain/test/read-tests.ts';
import { runTests } from '../explain/test/run-tests.ts';
import type { RouteTest, Sender, TestReport } from '../explain/test/types.ts';
import { sourceName } from './cluster-flags.ts';
import { loadMesh } from './explain-source.ts';
import { leftOutSummary } from './left-out.ts';
import { type MeshViews, meshViews, type ProxyChoice } from './mesh-views.ts';

export interface TestChoice extends ProxyChoice {
  config?: string[] | undefined;
  namespace?: string | undefined;
  'mesh-config'?: string | undefined;
  /** A cluster, read besides. */
  besides?: ConfigSource | undefined;
  /** Only tests whose name has this in it. */
  filter?: string | undefined;
  coverage?: boolean | undefined;
}

/** What is read: configuration, and tests. */
export interface TestPaths {
  readonly config: readonly string[];
  readonly tests: readonly string[];
}

/**
 * Configuration is what `-f` names, else ./mesh, else the folders that tests are named in; tests are what is named, else those beside the
 * configuration. Throws E_USAGE when there is neither.
 */
export function testPaths(named: readonly string[], config: readonly string[] | undefined, besides?: ConfigSource): TestPaths {
  if (config !== undefined && config.length > 0) return { config, tests: named.length > 0 ? named : foldersBeside(config) };
  if (besides !== undefined && named.length > 0) return { config: [], tests: named };
  if (besides !== undefined) throw new FairleadError('E_USAGE', 'a cluster has no tests', { next: 'Name files or folders of tests.' });
  if (existsSync('mesh')) return { config: ['mesh'], tests: named.length > 0 ? named : ['mesh'] };
  if (named.length === 0)
    throw new FairleadError('E_USAGE', 'there is nothing to test: no configuration named, and there is no folder ./mesh', {
      next: 'Name files or folders of configuration with -f PATH.',
    });
  const folders = named.filter((path) => path !== '-').map((path) => (isFolder(path) ? path : dirname(path)));
  if (folders.length === 0)
    throw new FairleadError('E_USAGE', 'tests on standard input need a configuration', { next: 'Name it with -f PATH.' });
  return { config: [...new Set(folders)], tests: named };
}

/** Where tests of a configuration are: its folders, and those of its files. */
function foldersBeside(config: readonly string[]): string[] {
  const folders = config.filter((path) => path !== '-').map((path) => (existsSync(path) && !isFolder(path) ? dirname(path) : path));
  if (folders.length > 0) return [...new Set(folders)];
  throw new FairleadError('E_USAGE', 'there are no tests: nothing lies beside standard input', { next: 'Name files of tests.' });
}

/** Whether a path is a folder that is there. */
export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/**
 * Loads everything, runs all tests once. Throws E_USAGE when there is no test, E_TEST_INVALID with every error of every file of tests,
 * E_CONFIG_UNREADABLE and E_CONFIG_INVALID.
 */
export async function runTestFiles(paths: TestPaths, choice: TestChoice, warn: (text: string) => void): Promise<TestReport> {
  const tests = await loadTests(paths, choice.filter);
  const { mesh } = await loadMesh(choice, paths.config, warn);
  const views = meshViews(mesh, sourceName(paths.config, choice.besides));
  const senderOf = (sender: Sender): Sender => (Object.keys(sender).length > 0 ? sender : flagged(choice));
  checkSenders(tests, views, senderOf);
  const coverage = choice.coverage === true ? collectCoverage(mesh) : undefined;
  const warnings = new Set<string>();
  const report = runTests(
    tests,
    (sender, host) => {
      const { view, problems } = views.choose(senderOf(sender), host);
      const note = warnings.size === 0 ? leftOutSummary(problems) : undefined;
      if (note !== undefined) warnings.add(note);
      return view;
    },
    (passed) => coverage?.add(passed),
  );
  for (const text of warnings) warn(text);
  return coverage === undefined ? report : { ...report, coverage: coverage.result() };
}

const flagged = ({ from, to, gateway }: ProxyChoice): Sender => ({
  ...(from !== undefined && { from }),
  ...(to !== undefined && { to }),
  ...(gateway !== undefined && { gateway }),
});

/** The tests of files and folders, in order. Throws as `runTestFiles`. */
export async function loadTests({ tests: paths }: TestPaths, filter?: string): Promise<RouteTest[]> {
  const { files, problems } = await pathSource(paths, { wanted: 'tests' }).read();
  if (problems.length > 0) throw new FairleadError('E_CONFIG_UNREADABLE', 'tests cannot be read', { problems });
  if (files.length === 0)
    throw new FairleadError('E_USAGE', `there are no tests: no *.mesh-test.yaml in ${paths.join(', ')}`, {
      next: 'Write a first file with `fairlead test --record URL…`; docs/test.md has the format.',
    });
  const found: Problem[] = [];
  const tests: RouteTest[] = [];
  for (const file of files) {
    const read = await readTests(file);
    found.push(...read.problems);
    tests.push(...read.tests);
  }
  refuse(found);
  const chosen = filter === undefined ? tests : tests.filter(({ name }) => name.toLowerCase().includes(filter.toLowerCase()));
  if (chosen.length === 0)
    throw new FairleadError('E_USAGE', `no test has ${JSON.stringify(filter)} in its name`, {
      next: `There are ${tests.length}, the first of them ${JSON.stringify(tests[0]?.name ?? '')}.`,
    });
  return chosen;
}

function refuse(problems: readonly Problem[]): void {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  if (errors === 0) return;
  throw new FairleadError('E_TEST_INVALID', `the tests have ${errors === 1 ? 'an error' : `${errors} errors`}`, { problems });
}

/** Every test that names a proxy that there is not, at once. */
function checkSenders(tests: readonly RouteTest[], views: MeshViews, senderOf: (sender: Sender) => Sender): void {
  const problems: Problem[] = [];
  for (const { sender, senderPosition } of tests) {
    try {
      views.choose(senderOf(sender), undefined);
    } catch (error) {
      if (!(error instanceof FairleadError) || Object.keys(sender).length === 0) throw error;
      problems.push({
        severity: 'error',
        rule: 'test/unknown-proxy',
        message: error.message,
        ...(error.next !== undefined && { hint: error.next }),
        position: senderPosition(),
      });
    }
  }
  refuse(problems);
}
