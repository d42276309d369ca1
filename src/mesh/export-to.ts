/** Namespaces that see a resource: `['*']` all, `['~']` nobody, else names. */
export type ExportTo = readonly string[];

/**
 * `exportTo` with `.` replaced by the resource's namespace. `*` wins over everything, then `~` wins over names. Empty or unset gives
 * `defaults`, one of MeshConfig's lists, `['*']` unless it says otherwise.
 */
export function normaliseExportTo(
  values: readonly string[] | undefined,
  namespace: string,
  defaults: readonly string[] | undefined,
): ExportTo {
  const list = values !== undefined && values.length > 0 ? values : defaults !== undefined && defaults.length > 0 ? defaults : ['*'];
  if (list.includes('*')) return ['*'];
  if (list.includes('~')) return ['~'];
  return [...new Set(list.map((value) => (value === '.' ? namespace : value)))];
}

/** Whether proxies of `namespace` see what is exported so. */
export function isExportedTo(exportTo: ExportTo, namespace: string): boolean {
  const [first] = exportTo;
  return first === '*' || (first !== '~' && exportTo.includes(namespace));
}

/** Same namespaces, in any order. */
export function equalExportTo(a: ExportTo, b: ExportTo): boolean {
  return a === b || (a.length === b.length && a.every((value) => b.includes(value)));
}
