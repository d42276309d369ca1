import type { Metrics, Telemetry, TelemetryTracing } from '../kinds/telemetry.ts';
import type { FieldPath, Resource } from '../resource.ts';
import { quote } from '../validation/describe-value.ts';
import type { Report } from '../validation/report.ts';
import { celProblem } from './cel-syntax.ts';
import { checkPolicyTarget } from './policy-target.ts';

/** Istio's validation of Telemetries (IST0106); the schema has the providers and ranges. */
export function checkTelemetry(resource: Resource, report: Report): void {
  const spec = resource.spec as Telemetry;
  checkPolicyTarget(spec, report);
  for (const [i, metrics] of (spec.metrics ?? []).entries()) checkMetrics(metrics, ['spec', 'metrics', i], report);
  const tracing = spec.tracing ?? [];
  if (tracing.length > 1) {
    report.warning(['spec', 'tracing'], 'semantic/tracing', 'only one entry of `tracing` is used', { atKey: true, hint: 'Keep one' });
  }
  for (const [i, entry] of tracing.entries()) checkTracing(entry, ['spec', 'tracing', i], report);
  for (const [i, { filter }] of (spec.accessLogging ?? []).entries()) {
    if (filter === undefined) continue;
    const problem = celProblem(filter.expression ?? '');
    if (problem === undefined) continue;
    report.error(['spec', 'accessLogging', i, 'filter', 'expression'], 'semantic/cel', `the filter is no CEL expression: ${problem}`);
  }
}

function checkMetrics({ overrides = [] }: Metrics, path: FieldPath, report: Report): void {
  for (const [i, { tagOverrides = {} }] of overrides.entries()) {
    for (const [tag, { operation = 'UPSERT', value }] of Object.entries(tagOverrides)) {
      const at = [...path, 'overrides', i, 'tagOverrides', tag];
      if (tag === '') report.warning(at, 'semantic/tag', 'the name of a tag must not be empty', { atKey: true });
      if (operation === 'UPSERT' && !value) report.error(at, 'semantic/tag', `the tag ${quote(tag)} needs a \`value\``, { atKey: true });
      if (operation === 'REMOVE' && value) {
        report.error([...at, 'value'], 'semantic/tag', `the tag ${quote(tag)} is removed, so it has no \`value\``, { atKey: true });
      }
    }
  }
}

function checkTracing({ providers = [], customTags = {} }: TelemetryTracing, path: FieldPath, report: Report): void {
  if (providers.length > 1) {
    report.warning([...path, 'providers'], 'semantic/tracing', 'only one provider is used for tracing', { atKey: true, hint: 'Keep one' });
  }
  for (const [name, tag] of Object.entries(customTags)) {
    if (name === '') report.error([...path, 'customTags', name], 'semantic/tag', 'the name of a tag must not be empty', { atKey: true });
    else if (Object.keys(tag).length === 0) {
      report.error([...path, 'customTags', name], 'semantic/tag', `the tag ${quote(name)} says not where its value comes from`, {
        atKey: true,
      });
    }
  }
}
