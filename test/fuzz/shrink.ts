/** Makes plain data smaller for as long as something stays true of it. */

type Path = readonly (string | number)[];

/** Everything that could be left out, large things first. */
function parts(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return typeof value === 'string' && value.length > 8 ? [path] : [];
  const keys: (string | number)[] = Array.isArray(value) ? [...value.keys()].reverse() : Object.keys(value);
  const here = keys.map((key) => [...path, key]);
  return [...here, ...keys.flatMap((key) => parts((value as Record<string | number, unknown>)[key], [...path, key]))];
}

function without<T>(value: T, path: Path): T {
  const copy = structuredClone(value);
  const key = path.at(-1)!;
  const parent = path.slice(0, -1).reduce<unknown>((v, k) => (v as Record<string | number, unknown>)[k], copy) as Record<
    string | number,
    unknown
  >;
  const old = parent[key];
  if (typeof old === 'string' && old.length > 100) parent[key] = old.slice(0, old.length >> 1);
  else if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete parent[key];
  return copy;
}

/** The smallest value found for which `holds` is still true; no more attempts than `most`. */
export async function shrink<T>(
  value: T,
  allowed: (path: Path) => boolean,
  holds: (smaller: T) => Promise<boolean>,
  most: number,
): Promise<T> {
  let best = value;
  let left = most;
  for (let again = true; again; ) {
    again = false;
    for (const path of parts(best)
      .filter(allowed)
      .sort((a, b) => a.length - b.length)) {
      if (left-- <= 0) return best;
      let smaller: T;
      try {
        smaller = without(best, path);
      } catch {
        continue;
      }
      if (JSON.stringify(smaller) === JSON.stringify(best) || !(await holds(smaller))) continue;
      best = smaller;
      again = true;
      break;
    }
  }
  return best;
}
