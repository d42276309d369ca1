/** Settings over settings: maps are merged field by field, everything else is replaced, and null takes a field away. */
export function mergeSettings<T>(under: T, over: unknown): T {
  if (!isMap(under) || !isMap(over)) return over as T;
  const merged: Record<string, unknown> = { ...under };
  for (const [name, value] of Object.entries(over)) {
    if (value === null) delete merged[name];
    else merged[name] = Object.hasOwn(merged, name) ? mergeSettings(merged[name], value) : withoutNulls(value);
  }
  return merged as T;
}

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Settings without the fields that say that something goes. */
export function withoutNulls(value: unknown): unknown {
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== null)
      .map(([name, field]) => [name, withoutNulls(field)]),
  );
}
