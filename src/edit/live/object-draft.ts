/** Changes to objects of a cluster, collected before anything is written. */
import { originOf, type Resource } from '../../config/resource.ts';
import type { SourceObject } from '../../config/source-object.ts';
import { FairleadError } from '../../errors.ts';
import type { ObjectRef } from '../../install/objects/object.ts';
import type { Edits } from '../draft.ts';
import { isEqual } from '../equal.ts';
import { withValue } from '../with-value.ts';

type Item = Record<string, unknown> & { metadata: { name: string; namespace?: string } };

/** One object, as it was read and as it is to be. */
export interface ObjectChange {
  readonly ref: ObjectRef;
  /** undefined: it is made. */
  readonly before: SourceObject | undefined;
  /** undefined: it goes. */
  readonly after: Item | undefined;
}

export interface ObjectDraft extends Edits {
  /** What routes need comes before the routes. */
  changes(): ObjectChange[];
}

/** A draft without changes. Its methods throw FairleadError E_EDIT_REFUSED. @param objects what was read of the cluster */
export function createObjectDraft(objects: readonly SourceObject[]): ObjectDraft {
  const changed = new Map<SourceObject, Item | undefined>();
  const added: Item[] = [];

  function objectOf(resource: Resource): SourceObject {
    const found = objects.find(({ source }) => source === resource.source);
    if (found !== undefined) return found;
    throw new FairleadError('E_EDIT_REFUSED', `${originOf(resource)} cannot be changed: it is not the cluster’s`, {
      position: resource.source.positionOf([]),
      next: 'Leave --kubernetes out to change files.',
    });
  }

  return {
    set(resource, path, value) {
      const object = objectOf(resource);
      changed.set(object, withValue(changed.get(object) ?? object.value, path, value) as Item);
    },
    remove(resource) {
      changed.set(objectOf(resource), undefined);
    },
    add(_file, _text, document) {
      const item = document as Item;
      const whole = { ...item, metadata: { ...item.metadata, namespace: item.metadata.namespace ?? 'default' } };
      const taken = objects.find(({ value }) => keyOf(value as Item) === keyOf(whole));
      if (taken !== undefined)
        throw new FairleadError('E_EDIT_REFUSED', `there is a ${keyOf(whole)} already, for something else`, {
          position: taken.source.positionOf([]),
          next: 'Write the new one by hand, under another name.',
        });
      added.push(whole);
    },
    changes() {
      const edits = [...changed]
        .filter(([object, after]) => !isEqual(object.value, after))
        .map(([before, after]): ObjectChange => ({ ref: refOf(before.value as Item), before, after }));
      const news = added.map((after): ObjectChange => ({ ref: refOf(after), before: undefined, after }));
      const isRoute = ({ ref }: ObjectChange): number => Number(ref.kind === 'VirtualService');
      return [...edits, ...news].sort((a, b) => isRoute(a) - isRoute(b));
    },
  };
}

const refOf = ({ apiVersion, kind, metadata: { name, namespace = 'default' } }: Item): ObjectRef => ({
  apiVersion: apiVersion as string,
  kind: kind as string,
  name,
  namespace,
});

const keyOf = ({ kind, metadata: { name, namespace } }: Item): string => `${kind as string} ${namespace}/${name}`;
