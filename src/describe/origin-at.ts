import { type FieldPath, formatPath, type Resource } from '../config/resource.ts';
import { configPath } from '../envoy/metadata.ts';
import type { Origin } from '../explain/types.ts';

/** Where a field of a resource was written; without a path, its name. */
export function originAt(resource: Resource, path?: FieldPath): Origin {
  const { kind, metadata, source } = resource;
  const { file, line, column } = source.positionOf(path ?? ['metadata', 'name']);
  const field = path === undefined ? '' : formatPath(path[0] === 'spec' ? path.slice(1) : path);
  return {
    kind,
    name: metadata.name,
    namespace: metadata.namespace,
    config: configPath(resource),
    ...(field !== '' && { field }),
    file,
    line,
    column,
  };
}
