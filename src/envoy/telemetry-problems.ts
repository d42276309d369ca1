import type { Telemetry } from '../config/kinds/telemetry.ts';
import type { FieldPath, Resource } from '../config/resource.ts';
import type { Problem } from '../errors.ts';
import { type ProblemText, problemAt } from '../mesh/problem.ts';
import type { Mesh, ProxyScope } from '../mesh/types.ts';
import { KNOWN_ATTRIBUTES } from '../telemetry/cel/attributes.ts';
import { compileTag, isPrometheus, tagOverridesIn } from '../telemetry/metrics/settings.ts';
import { findProvider } from './access-logging.ts';
import { logFilter } from './log-filter.ts';
import { isNamespaceWide } from './telemetry-levels.ts';
import { collectorProblems } from './tracing-collector.ts';
import { tracingProvider } from './tracing-settings.ts';

/** Access logging that comes to nothing: unknown providers, ones that do not write to files, resources that an older one hides. */
export function telemetryProblems(mesh: Mesh, scope: ProxyScope): Problem[] {
  const out: Problem[] = [...collectorProblems(mesh, scope)];
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
    spec.tracing?.forEach(({ providers = [] }, entry) => {
      providers.forEach(({ name }, i) => {
        const provider = tracingProvider(mesh.config, name);
        if (provider?.zipkin || provider?.opentelemetry) return;
        add(['spec', 'tracing', entry, 'providers', i, 'name'], {
          rule: provider ? 'unsupported/Telemetry.tracing.providers' : 'telemetry/unknown-provider',
          message: provider
            ? `provider ${name} is neither zipkin nor opentelemetry: nothing is traced`
            : `no provider ${name} among the mesh's extensionProviders: nothing is traced`,
        });
      });
    });
    spec.metrics?.forEach(({ providers = [] }, entry) => {
      providers.forEach(({ name }, i) => {
        if (isPrometheus(mesh.config, name)) return;
        add(['spec', 'metrics', entry, 'providers', i, 'name'], {
          rule: 'unsupported/Telemetry.metrics.providers',
          message: `provider ${name} is not Prometheus, which is all that metrics go to: it gets none`,
        });
      });
    });
    for (const { tag, operation, value, path } of tagOverridesIn(telemetry)) {
      const compiled = operation === 'REMOVE' ? undefined : compileTag(value, new Set());
      if (typeof compiled !== 'string') continue;
      add(path, {
        rule: 'unsupported/Telemetry.metrics.overrides.tagOverrides',
        message: `the value of tag ${tag} is not understood: ${compiled}; metrics keep what they have`,
        hint: `texts in quotes, ${KNOWN_ATTRIBUTES.slice(0, 3).join(', ')} and such; see docs/telemetry.md`,
      });
    }
    spec.accessLogging?.forEach(({ filter }, entry) => {
      const made = filter?.expression ? logFilter(filter.expression) : undefined;
      if (typeof made !== 'string') return;
      out.push(
        problemAt(telemetry, ['spec', 'accessLogging', entry, 'filter', 'expression'], {
          severity: 'error',
          rule: 'unsupported/Telemetry.accessLogging.filter.expression',
          message: `the expression cannot be carried out, and what it leaves out would be logged: ${made}`,
          hint: 'compare response.code, request.method, request.path, request.host, request.useragent or request.headers[…] with literals, joined by &&, || and !',
        }),
      );
    });
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
