import type { ReportFinding } from './finding.ts';
import type { AnalysisModel } from './model/analysis-model.ts';

/** One analyzer: pure, and linear in the size of the configuration. */
export interface Analyzer {
  /** Lower-case with dashes, as its file. */
  readonly name: string;
  /** What it can find. */
  readonly codes: readonly string[];
  run(model: AnalysisModel, report: ReportFinding): void | Promise<void>;
}
