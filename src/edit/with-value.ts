import type { FieldPath } from '../config/resource.ts';
import { isMapValue, type Value } from './equal.ts';

/** The value with one place in it changed; undefined takes it out. Maps and lists on the way are made, and what is not on the way is shared. */
export function withValue(value: Value, path: FieldPath, to: Value): Value {
  const [key, ...rest] = path;
  if (key === undefined) return to;
  if (typeof key === 'number') {
    const list = Array.isArray(value) ? [...value] : [];
    if (rest.length === 0 && to === undefined) list.splice(key, 1);
    else list[key] = withValue(list[key], rest, to);
    return list;
  }
  const map: Record<string, Value> = isMapValue(value) ? { ...value } : {};
  if (rest.length === 0 && to === undefined) delete map[key];
  else map[key] = withValue(map[key], rest, to);
  return map;
}
