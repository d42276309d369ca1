/** What a change does to the requests of the test files beside a configuration. */
import { type BehaviourChange, behaviourChanges } from '../diff/behaviour.ts';
import { FairleadError } from '../errors.ts';
import type { Mesh } from '../mesh/types.ts';
import { meshViews } from './mesh-views.ts';
import { isFolder, loadTests } from './route-tests.ts';

/** Requests of all tests that end otherwise, and how many were tried. Nothing when there are no tests. Throws E_TEST_INVALID. */
export async function testedBehaviour(
  paths: readonly string[],
  before: Mesh,
  after: Mesh,
): Promise<{ changes: BehaviourChange[]; tried: number }> {
  const folders = paths.filter(isFolder);
  const tests = folders.length === 0 ? [] : await loadTests({ config: folders, tests: folders }, undefined).catch(noTests);
  const [was, is] = [meshViews(before, 'before'), meshViews(after, 'after')];
  const changes: BehaviourChange[] = [];
  let tried = 0;
  for (const { sender, cases } of tests) {
    for (const one of cases) {
      if (one.kind !== 'request') continue;
      const [old, next] = [choose(was, sender, one.host), choose(is, sender, one.host)];
      // A sender that is on one side only is told as a proxy that came or went.
      if (old === undefined || next === undefined) continue;
      tried++;
      changes.push(...behaviourChanges(next.proxy, old, next, [one.request]));
    }
  }
  return { changes, tried };
}

function choose(views: ReturnType<typeof meshViews>, sender: Parameters<ReturnType<typeof meshViews>['choose']>[0], host: string) {
  try {
    return views.choose(sender, host).view;
  } catch (error) {
    if (error instanceof FairleadError && error.code === 'E_PROXY_UNKNOWN') return undefined;
    throw error;
  }
}

function noTests(error: unknown): [] {
  if (error instanceof FairleadError && error.code === 'E_USAGE') return [];
  throw error;
}
