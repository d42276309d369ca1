/**
 * Settings over settings: maps are merged field by field, everything else is replaced, and null takes a field away.
 *
 * @param layers true: what comes of it goes over others still, so nulls stay
 */
export function mergeSettings<T>(under: T, over: unknown, layers = false): T {
  if (!isMap(over)) return over as T;
  const merged: Record<string, unknown> = isMap(under) ? { ...under } : {};
  for (const [name, value] of Object.entries(over)) {
    if (value === null && !layers) delete merged[name];
    else put(merged, name, mergeSettings(Object.hasOwn(merged, name) ? merged[name] : undefined, value, layers));
  }
  return merged as T;
}

/** Settings without the fields that say that something goes. */
export const withoutNulls = <T>(settings: T): T => mergeSettings<T>(undefined as T, settings);

/** `__proto__` is a name like others. */
function put(into: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(into, name, { value, enumerable: true, configurable: true, writable: true });
}

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
