/** What an engine refuses, as the answers that the node's agent gets. */
import type { Problem } from '../../src/errors.ts';
import type { ResourceKind } from '../xds/resource-types.ts';

export interface Nack {
  kind: ResourceKind;
  /** One line a resource, `NAME: reason [rule]`, where the engine names them. */
  reason: string;
}

const named = ({ origin }: Problem): { kind: string; name: string } | undefined => {
  const [, kind, name] = /^(\w+) (.+)$/.exec(origin ?? '') ?? [];
  return kind && name ? { kind, name } : undefined;
};

/**
 * The types that are refused, each with its reason. An engine that names a resource which did not come just now refuses all that came: one of
 * it does not go with what is there.
 *
 * @param news the names that came, by type
 */
export function nacksOf(
  problems: readonly Problem[],
  kinds: readonly ResourceKind[],
  news: (kind: ResourceKind) => readonly string[],
): Nack[] {
  const nacks = kinds.flatMap((kind): Nack[] => {
    const came = new Set(news(kind));
    const lines = problems.flatMap((problem) => {
      const of = named(problem);
      return of?.kind === kind && came.has(of.name) ? [`${of.name}: ${lineOf(problem)}`] : [];
    });
    return lines.length > 0 ? [{ kind, reason: lines.join('\n') }] : [];
  });
  if (nacks.length > 0) return nacks;
  const all = problems.map(lineOf).join('; ');
  return kinds.filter((kind) => news(kind).length > 0).map((kind) => ({ kind, reason: all }));
}

function lineOf({ message, rule }: Problem): string {
  return `${message.replace(/\s+/g, ' ').trim()} [${rule}]`;
}
