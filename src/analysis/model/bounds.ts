/** Bounds on what one finding names and one object gets, so that a thousand objects in conflict make no million of words. */

/** Objects that one finding names. */
export const MAX_NAMED = 20;
/** Related places of one finding. */
export const MAX_RELATED = 10;

/** Names joined; beyond the bound how many more there are. */
export function joinNames(names: readonly string[], separator: string): string {
  if (names.length <= MAX_NAMED) return names.join(separator);
  return `${names.slice(0, MAX_NAMED).join(separator)} and ${names.length - MAX_NAMED} more`;
}

/** The first others of a group, without looking at all of a large one. */
export function firstOthers<Item>(group: readonly Item[], own: Item, limit: number = MAX_RELATED): Item[] {
  return group
    .slice(0, limit + 1)
    .filter((item) => item !== own)
    .slice(0, limit);
}

/** Counts how often it is asked about each thing; true from the time on when that was `limit` times. */
export function atMost<Item>(limit: number): (item: Item) => boolean {
  const counts = new Map<Item, number>();
  return (item) => {
    const count = counts.get(item) ?? 0;
    counts.set(item, count + 1);
    return count >= limit;
  };
}
