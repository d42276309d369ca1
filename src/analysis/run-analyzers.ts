import type { Analyzer } from './analyzer.ts';
import { ANALYZERS } from './analyzers/all.ts';
import type { RawFinding } from './finding.ts';
import type { AnalysisModel } from './model/analysis-model.ts';

/** Runs analyzers over a model, one after the other; they share its indexes. */
export async function runAnalyzers(model: AnalysisModel, analyzers: readonly Analyzer[] = ANALYZERS): Promise<RawFinding[]> {
  const found: RawFinding[] = [];
  for (const analyzer of analyzers) {
    await analyzer.run(model, (code, resource, at, args = {}, more = {}) => found.push({ code, resource, at, args, ...more }));
  }
  return found;
}
