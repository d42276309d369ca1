/** Analyses of texts, for tests. */
import { type Analysis, type AnalyzeOptions, analyze } from '../../src/analysis/analyze.ts';
import { parseFiles } from '../../src/config/parse-config.ts';
import { textFile } from '../../src/config/text-file.ts';

/** Analyzes one text as the file `mesh.yaml`. */
export async function analyzeText(text: string, options: AnalyzeOptions = {}): Promise<Analysis> {
  const file = textFile('mesh.yaml', text);
  const { resources, problems, meshConfig } = await parseFiles([file]);
  return analyze({ resources, problems, meshConfig, texts: [file] }, options);
}

/** `CODE Kind namespace/name path`, sorted: what must not change unseen. */
export async function findingsOf(text: string, options: AnalyzeOptions = {}): Promise<string[]> {
  const { findings } = await analyzeText(text, options);
  return findings.map(({ code, origin, path }) => `${code} ${origin} ${path}`.trim());
}
