import type { Problem } from '../errors.ts';
import type { TextSource } from './document-source.ts';
import { MeshConfig } from './kinds/mesh-config.ts';
import { checkMeshConfig } from './semantics/mesh-config.ts';
import { checkValue } from './validation/check-value.ts';
import { createReport } from './validation/report.ts';
import { schemaNode } from './validation/schema-node.ts';

/** Checks a MeshConfig, which has neither apiVersion nor kind. Problems go into `problems`; the value is only usable without errors. */
export function readMeshConfig(value: unknown, source: TextSource, problems: Problem[]): MeshConfig {
  const report = createReport(problems, source, () => 'MeshConfig');
  checkValue(schemaNode(MeshConfig), value, { report, path: [], chain: [] });
  if (report.typeErrors === 0 && value !== null && typeof value === 'object') checkMeshConfig(value as MeshConfig, report);
  return value as MeshConfig;
}
