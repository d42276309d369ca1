import { explainConnection, explainRequest } from '../explain.ts';
import type { Explanation, Origin } from '../types.ts';
import type { ProxyView } from '../view.ts';
import { judge } from './judge.ts';
import type { Case, CaseFailure, Passed, Reason, RouteTest, Sender, TestReport, TestResult } from './types.ts';

/** Finds the proxy that judges; the same object for the same proxy, so that what is computed of it is computed once. */
export type FindView = (sender: Sender, host: string) => ProxyView;

/** More failed requests of one test are counted, not told. */
export const MOST_FAILURES = 100;

/**
 * Runs tests against the config of their proxies. Pure; throws what `find` throws, before anything is explained of that test.
 *
 * @param passed is told each request whose expectations hold
 */
export function runTests(tests: readonly RouteTest[], find: FindView, passed: (of: Passed) => void = () => {}): TestReport {
  const notes = new Set<string>();
  const results = tests.map((test) => runTest(test, find, passed, notes));
  const failed = results.filter((result) => !result.passed).length;
  return {
    version: 1,
    passed: results.length - failed,
    failed,
    requests: results.reduce((n, { requests }) => n + requests, 0),
    tests: results,
    notes: [...notes],
  };
}

function runTest(test: RouteTest, find: FindView, passed: (of: Passed) => void, notes: Set<string>): TestResult {
  const failures: CaseFailure[] = [];
  let failed = 0;
  for (const one of test.cases) {
    const view = find(test.sender, one.host);
    const explanation = one.kind === 'request' ? explainRequest(view, one.request) : explainConnection(view, one.connection);
    for (const { name, why } of explanation.unevaluated)
      notes.add(`${name} is not evaluated for ${explanation.proxy}: ${why}; requests are taken to pass`);
    const mismatches = judge(explanation, test.expect);
    if (mismatches.length === 0) {
      passed({ explanation, expect: test.expect });
      continue;
    }
    if (++failed > MOST_FAILURES) continue;
    const rule = ruleOf(explanation);
    failures.push({
      asked: askedText(one),
      proxy: explanation.proxy,
      failures: mismatches.map(({ path, expected, actual }) => ({
        field: path.join('.'),
        expected,
        actual,
        position: test.positionOf(path),
      })),
      ...(rule !== undefined && { rule }),
      reasons: reasonsOf(explanation),
    });
  }
  const { file, line, column } = test.position;
  return { name: test.name, file, line, column, passed: failed === 0, requests: test.cases.length, failed, failures };
}

/** `GET http://catalog/ x-tester: yes`. */
export function askedText(one: Case): string {
  if (one.kind === 'connection') {
    const { host, port, sni } = one.connection;
    return `tcp ${host.includes(':') ? `[${host}]` : host}:${port}${sni === undefined ? '' : ` (TLS, ${sni})`}`;
  }
  const { method, url, headers = [] } = one.request;
  return [`${method} ${url}`, ...headers.map(([name, value]) => `${name}: ${value}`)].join('  ');
}

/** The last rule that was written by somebody and decided: the route's, else the policy's or listener's. */
function ruleOf({ outcomes, steps }: Explanation): Origin | undefined {
  const stopped = steps.findLast((step) => step.effect === 'stops' && step.origin !== undefined)?.origin;
  return (
    stopped ?? outcomes.find((o) => o.routeOrigin !== undefined)?.routeOrigin ?? steps.findLast((step) => step.origin !== undefined)?.origin
  );
}

const TOLD: ReadonlySet<string> = new Set(['virtualHost', 'route', 'filter', 'action', 'tcpProxy']);
const LABELS: Readonly<Record<string, string>> = { virtualHost: 'virtual host', tcpProxy: 'tcp proxy', filterChain: 'filter chain' };

/** The explanation in short: the decisions that matter, and what nearly decided instead. */
function reasonsOf({ steps, nearMisses, outcomes, notes }: Explanation): Reason[] {
  const told = steps.filter((step) => TOLD.has(step.kind) || step.effect === 'stops' || step.effect === 'unknown');
  const lost = outcomes.every((o) => ['no-route', 'no-listener', 'no-filter-chain'].includes(o.type));
  const near = (lost ? nearMisses : nearMisses.filter((miss) => miss.decisive)).slice(0, 3);
  return [
    ...told.map(({ kind, resource, decision, origin }): Reason => {
      const name = /^virtualHosts\[\d+\]\.routes\[(\d+)\]$/.exec(resource)?.[1];
      const label = [LABELS[kind] ?? kind, name === undefined ? resource : `#${Number(name) + 1}`].filter((part) => part !== '').join(' ');
      return { kind: 'decided', text: `${label}: ${decision}`, ...(origin !== undefined && { origin }) };
    }),
    ...near.map(({ message, origin }): Reason => ({ kind: 'almost', text: message, ...(origin !== undefined && { origin }) })),
    ...notes.map((text): Reason => ({ kind: 'decided', text })),
  ];
}
