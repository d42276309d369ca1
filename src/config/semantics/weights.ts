import type { FieldPath } from '../resource.ts';
import type { Report } from '../validation/report.ts';

/** Weights are relative and need not add up to 100; but of several destinations one must get something. */
export function checkWeights(routes: readonly { weight?: number }[] | undefined, path: FieldPath, report: Report): void {
  if (routes === undefined) return;
  let sum = 0;
  for (const { weight } of routes) sum += weight ?? 0;
  if (routes.length > 1 && sum === 0) {
    report.error(path, 'semantic/weight-sum', 'all weights are 0: no destination would get anything', {
      atKey: true,
      hint: 'Give each destination a `weight`',
    });
  }
}
