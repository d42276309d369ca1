import type { Telemetry } from '../config/kinds/telemetry.ts';
import type { FieldPath, Resource } from '../config/resource.ts';
import type { Problem } from '../errors.ts';
import { type ProblemText, problemAt } from '../mesh/problem.ts';
import type { Mesh } from '../mesh/types.ts';
import { findProvider, isNamespaceWide } from './access-logging.ts';

/** Access logging that comes to nothing: unknown providers, ones that do not write to files, resources that an older one hides. */
export function telemetryProblems(mesh: Pick<Mesh, 'ofKind' | 'config'>): Problem[] {
  const out: Problem[] = [];
  const wide = new Map<string, Resource<Telemetry>>();
  for (const telemetry of mesh.ofKind<Telemetry>('Telemetry')) {
    const { metadata, spec } = telemetry;
    const add = (path: FieldPath, text: Omit<ProblemText, 'severity'>): void => {
      out.push(problemAt(telemetry, path, { severity: 'warning', ...text }));
    };
    if (isNamespaceWide(telemetry)) {
      const older = wide.get(metadata.namespace);
      if (older === undefined) wide.set(metadata.namespace, telemetry);
      else {
        add(['metadata', 'name'], {
          rule: 'telemetry/hidden',
          message: `Telemetry ${older.metadata.name} is for all of namespace ${metadata.namespace} already: this one is not used`,
          hint: 'merge them, or give this one a selector',
        });
      }
    }
    spec.accessLogging?.forEach(({ providers = [] }, entry) => {
      providers.forEach(({ name }, i) => {
        const path: FieldPath = ['spec', 'accessLogging', entry, 'providers', i, 'name'];
        const provider = findProvider(mesh.config, name);
        if (provider === undefined) {
          add(path, {
            rule: 'telemetry/unknown-provider',
            message: `no provider ${name} among the mesh's extensionProviders: nothing is logged`,
          });
        } else if (provider.envoyFileAccessLog === undefined) {
          add(path, {
            rule: 'unsupported/Telemetry.accessLogging.providers',
            message: `provider ${name} does not write to a file, which is all that access logs do yet: nothing is logged`,
          });
        }
      });
    });
  }
  return out;
}
