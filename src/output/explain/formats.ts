import type { ExplainAnswer } from '../../cli/explain-question.ts';
import { exposuresText } from './exposures.ts';
import { explanationDot, explanationMermaid } from './graph.ts';
import type { Canvas } from './paint.ts';
import { explanationText } from './text.ts';

/** The answer as text, `dot` or `mermaid`. */
export function explainText(answer: ExplainAnswer, format: string | undefined, canvas: Canvas): string {
  if (answer.kind === 'exposures') return exposuresText(answer.result, answer.proxy);
  const { result, asked } = answer;
  if (format === 'dot') return explanationDot(result, asked);
  if (format === 'mermaid') return explanationMermaid(result, asked);
  return explanationText(result, canvas, asked, result.draws);
}
