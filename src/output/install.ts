/** What an installation changes, for people. */
import { stringify } from 'yaml';
import { unifiedDiff } from './diff/unified-diff.ts';
import { harmless } from './source-excerpt.ts';

/** The part of src/install's PlannedObject that is shown. */
export interface ShownObject {
  ref: { kind: string; namespace?: string | undefined; name: string };
  action: string;
  why?: string;
  conflicts: readonly { manager: string; field: string }[];
  before?: object;
  after?: object;
}

const MARKS: Readonly<Record<string, string>> = {
  create: '+ create ',
  change: '~ change ',
  delete: '- delete ',
  release: '~ release',
  keep: '  keep   ',
  left: '  leave  ',
  conflict: '! differ ',
};

const nameOf = ({ ref: { kind, namespace, name } }: ShownObject): string =>
  `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;

/** One line an object, less those that stay as they are; then what changes in those that are there already. */
export function planText(objects: readonly ShownObject[], color: boolean): string {
  const lines = objects.flatMap((object) => {
    const mark = MARKS[object.action];
    if (mark === undefined) return [];
    const head = `${mark} ${nameOf(object)}${object.why === undefined ? '' : `  (${object.why})`}`;
    const taken = object.action === 'change' ? 'taken over from' : 'set by';
    return [harmless(head), ...object.conflicts.map(({ manager, field }) => `           ${harmless(`${field} is ${taken} ${manager}`)}`)];
  });
  const same = objects.filter(({ action }) => action === 'same').length;
  if (same > 0) lines.push(`  ${same} ${same === 1 ? 'object stays' : 'objects stay'} as ${same === 1 ? 'it is' : 'they are'}`);
  const diff = diffText(
    objects.filter(({ action }) => action === 'change' || action === 'conflict'),
    color,
  );
  return `${lines.join('\n')}\n${diff === '' ? '' : `\n${diff}`}`;
}

/** Unified diffs of YAML; a whole object where it comes or goes. */
export function diffText(objects: readonly ShownObject[], color: boolean): string {
  return unifiedDiff(
    objects
      .filter(({ action }) => action !== 'same' && action !== 'left' && action !== 'keep')
      .map((object) => ({
        file: nameOf(object).replaceAll(' ', '/'),
        before: yamlOf(object.before),
        after: object.action === 'delete' ? undefined : yamlOf(object.after),
      })),
    color,
  );
}

/** Fields in one order: two answers of an API server may have them in different ones. */
const yamlOf = (value: object | undefined): string | undefined =>
  value === undefined ? undefined : stringify(value, { sortMapEntries: true, lineWidth: 0, aliasDuplicateObjects: false });

/** `creates 28, changes 2 and deletes 1 objects`; undefined when nothing changes. */
export function countText(objects: readonly Pick<ShownObject, 'action'>[]): string | undefined {
  const parts = (['create', 'change', 'release', 'delete'] as const)
    .map((action) => ({ action, n: objects.filter((object) => object.action === action).length }))
    .filter(({ n }) => n > 0)
    .map(({ action, n }) => `${action}s ${n}`);
  if (parts.length === 0) return undefined;
  const last = parts.at(-1) as string;
  return `${parts.length > 1 ? `${parts.slice(0, -1).join(', ')} and ${last}` : last} ${/ 1$/.test(last) ? 'object' : 'objects'}`;
}

/** Objects as one file of YAML. */
export const manifestText = (objects: readonly object[]): string =>
  objects.map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })).join('---\n');
