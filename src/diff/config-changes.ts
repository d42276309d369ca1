/** What was changed in the configuration itself: which field of which resource, and where it stands. */
import { type FieldPath, formatPath, originOf, type Position, type Resource } from '../config/resource.ts';
import { configPath } from '../envoy/metadata.ts';
import { type ValueChange, valueChanges } from './value-changes.ts';

export interface FieldChange {
  /** `spec.http[0].route[1].weight`. */
  path: string;
  before: unknown;
  after: unknown;
  /** In the newer configuration; in the older one for what was removed. */
  position: Position;
}

/** One resource that came, went or changed. */
export interface ConfigChange {
  change: 'added' | 'removed' | 'changed';
  /** `VirtualService default/reviews`. */
  origin: string;
  /** As Envoy's metadata names it. */
  config: string;
  position: Position;
  fields: readonly FieldChange[];
  resource: Resource;
}

/** Resources are the same when kind, namespace and name are; served versions of one kind are not told apart. */
const identity = ({ group, kind, metadata }: Resource): string => `${group}/${kind}/${metadata.namespace}/${metadata.name}`;

export function configChanges(before: readonly Resource[], after: readonly Resource[]): ConfigChange[] {
  const old = new Map(before.map((resource) => [identity(resource), resource]));
  const found: ConfigChange[] = [];
  for (const resource of after) {
    const previous = old.get(identity(resource));
    old.delete(identity(resource));
    if (previous === undefined) found.push(whole('added', resource));
    else if (previous !== resource) {
      const fields = fieldChanges(previous, resource);
      if (fields.length > 0) found.push({ ...whole('changed', resource), fields, position: fields[0]!.position });
    }
  }
  return [...found, ...[...old.values()].map((resource) => whole('removed', resource))];
}

function whole(change: ConfigChange['change'], resource: Resource): ConfigChange {
  return {
    change,
    origin: originOf(resource),
    config: configPath(resource),
    position: resource.source.positionOf(['metadata', 'name']),
    fields: [],
    resource,
  };
}

function fieldChanges(before: Resource, after: Resource): FieldChange[] {
  const parts: [root: FieldPath, a: unknown, b: unknown][] = [
    [['spec'], before.spec, after.spec],
    [['metadata', 'labels'], before.metadata.labels, after.metadata.labels],
    [['metadata', 'annotations'], before.metadata.annotations, after.metadata.annotations],
  ];
  const at = (root: FieldPath, { path, oldPath, after: now }: ValueChange): Position =>
    now === undefined ? before.source.positionOf([...root, ...oldPath]) : after.source.positionOf([...root, ...path]);
  return parts.flatMap(([root, a, b]) =>
    valueChanges(a, b).map((change) => ({
      path: formatPath([...root, ...change.path]),
      before: change.before,
      after: change.after,
      position: at(root, change),
    })),
  );
}
