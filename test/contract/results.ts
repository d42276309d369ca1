/** What became of each case, for the table at the end of the tests. */
import { appendFileSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatTable } from '../../src/output/table.ts';

const RUNNERS = ['embedded', 'envoy', 'explain'] as const;

export interface ContractResult {
  area: string;
  case: string;
  by: (typeof RUNNERS)[number];
  outcome: 'passed' | 'failed' | 'skipped';
  /** Of what was skipped. */
  reason?: string;
}

/** A folder that the test runner gives: results go into a file for each area. */
const folder = process.env['FAIRLEAD_CONTRACT_RESULTS'];

export function tell(result: ContractResult): void {
  if (folder) appendFileSync(join(folder, `${result.area}.jsonl`), `${JSON.stringify(result)}\n`);
}

/** Cases by area, how many each runner passed, and why others were skipped. undefined when no area ran. */
export function contractTable(results: string): string | undefined {
  const all = globSync('*.jsonl', { cwd: results }).flatMap((file) =>
    readFileSync(join(results, file), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as ContractResult),
  );
  if (all.length === 0) return undefined;
  const row = (name: string, of: readonly ContractResult[]): string[] => [
    name,
    String(new Set(of.map((r) => `${r.area}/${r.case}`)).size),
    ...RUNNERS.map((by) => String(of.filter((r) => r.by === by && r.outcome === 'passed').length)),
  ];
  const areas = [...Map.groupBy(all, (r) => r.area)].sort(([a], [b]) => (a < b ? -1 : 1));
  const rows = [...areas.map(([area, of]) => row(area, of)), row('all', all)];
  const table = formatTable({ columns: ['CONTRACT', 'CASES', 'EMBEDDED', 'ENVOY', 'EXPLAIN'], rows });
  return [table.trimEnd(), ...skips(all), ...failures(all)].join('\n');
}

function skips(all: readonly ContractResult[]): string[] {
  const skipped = Map.groupBy(
    all.filter((r) => r.outcome === 'skipped'),
    (r) => `${r.by}: ${r.reason}`,
  );
  return [...skipped].map(([why, of]) => {
    const names = of.map((r) => `${r.area}/${r.case}`);
    return `skipped by ${why} (${names.length > 5 ? `${names.length} cases` : names.join(', ')})`;
  });
}

const failures = (all: readonly ContractResult[]): string[] =>
  all.filter((r) => r.outcome === 'failed').map((r) => `not met by ${r.by}: ${r.area}/${r.case}`);
