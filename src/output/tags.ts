/** Revision tags as people read them: istioctl's columns. */
import { formatTable } from './table.ts';

export interface ShownTag {
  tag: string;
  revision: string;
  namespaces: readonly string[];
  problem?: string | undefined;
}

export function tagsText(tags: readonly ShownTag[]): string {
  if (tags.length === 0) return 'there are no revision tags';
  const table = formatTable({
    columns: ['TAG', 'REVISION', 'NAMESPACES'],
    rows: tags.map(({ tag, revision, namespaces }) => [tag, revision, namespaces.join(',')]),
  });
  const problems = tags.flatMap(({ tag, problem }) => (problem === undefined ? [] : [`${tag}: ${problem}`]));
  return [table.trimEnd(), ...(problems.length > 0 ? ['', ...problems] : [])].join('\n');
}
