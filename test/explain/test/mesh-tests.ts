/** Runs tests that are written in a text against a mesh that is written in another. */

import { meshViews } from '../../../src/cli/mesh-views.ts';
import { parseConfig } from '../../../src/config/parse-config.ts';
import { textFile } from '../../../src/config/text-file.ts';
import type { Problem } from '../../../src/errors.ts';
import { collectCoverage } from '../../../src/explain/test/coverage.ts';
import { readTests } from '../../../src/explain/test/read-tests.ts';
import { runTests } from '../../../src/explain/test/run-tests.ts';
import type { Coverage, TestReport } from '../../../src/explain/test/types.ts';
import { buildMesh } from '../../../src/mesh/mesh.ts';

export interface Ran {
  readonly report: TestReport;
  readonly coverage: Coverage;
  readonly problems: readonly Problem[];
}

/** The report, the coverage, and what is wrong with the tests (they do not run then). */
export async function runMeshTests(mesh: string, tests: string, file = 'a.mesh-test.yaml'): Promise<Ran> {
  const { resources, problems: found } = await parseConfig(mesh, 'mesh.yaml');
  const wrong = found.filter(({ severity }) => severity === 'error');
  if (wrong.length > 0) throw new Error(wrong.map((p) => p.message).join('\n'));
  const model = buildMesh(resources);
  const views = meshViews(model, 'mesh.yaml');
  const read = await readTests(textFile(file, tests));
  const coverage = collectCoverage(model);
  const report = runTests(
    read.problems.length > 0 ? [] : read.tests,
    (sender, host) => views.choose(sender, host).view,
    (passed) => coverage.add(passed),
  );
  return { report, coverage: coverage.result(), problems: read.problems };
}

/** Services with a workload each, and two versions of reviews. */
export const services = (...names: string[]): string =>
  names
    .map(
      (name, i) => `---
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { selector: { app: ${name} }, ports: [{ name: http, port: 80 }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: ${name}-v1 }
spec: { address: 10.0.${i}.1, labels: { app: ${name}, version: v1 } }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: ${name}-v2 }
spec: { address: 10.0.${i}.2, labels: { app: ${name}, version: v2 } }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: ${name} }
spec: { host: ${name}, subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }] }
`,
    )
    .join('');
