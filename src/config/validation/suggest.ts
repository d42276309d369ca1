import { distance } from 'fastest-levenshtein';
import type { SchemaNode } from './schema-node.ts';

/** The candidate that was probably meant, or undefined when none is near: a third of the letters may differ. Case and `_`, `-` count little. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  const plain = simplify(name);
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(plain.length / 3)) + 0.5;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) > bestDistance + 4) continue;
    const simple = simplify(candidate);
    // Same letters in another case are nearer than one wrong letter.
    const d = simple === plain ? 0.25 : Math.min(distance(plain, simple), sharesStem(plain, simple) ? bestDistance - 0.125 : Infinity);
    if (d < bestDistance) {
      best = candidate;
      bestDistance = d;
    }
  }
  return best;
}

/** `retry` and `retries`: most of both is the same from the start. */
function sharesStem(a: string, b: string): boolean {
  let same = 0;
  while (same < a.length && a[same] === b[same]) same++;
  return same >= 4 && same * 2 > Math.max(a.length, b.length);
}

const simplify = (name: string): string => name.toLowerCase().replace(/[_\-\s]/g, '');

/** What to do about a field that is not declared in the last of `chain`: a similar name here, or the same name a level up or down. */
export function fieldHint(name: string, chain: readonly SchemaNode[], names: readonly (string | number)[]): string | undefined {
  const here = chain.at(-1)!;
  if (name === 'true' || name === 'false') {
    return 'YAML reads the bare words y, n, yes, no, on, off, true and false as booleans, keys too; quote the key if the word was meant';
  }
  // The same name elsewhere says more than a similar one here.
  for (const [field, node] of here.properties) {
    const inner = node.type === 'array' ? node.items : node;
    if (inner?.properties.has(name))
      return `\`${name}\` belongs ${node.type === 'array' ? 'to the entries of' : 'inside'} \`${field}\`, one level down`;
  }
  const similar = nearest(name, here.properties.keys());
  if (similar !== undefined && simplify(similar) === simplify(name)) return `Did you mean \`${similar}\`?`;
  for (let up = chain.length - 2; up >= 0; up--) {
    if (!chain[up]!.properties.has(name)) continue;
    const holder = names
      .slice(0, up)
      .filter((part) => typeof part === 'string')
      .at(-1);
    return `\`${name}\` belongs further up${holder === undefined ? '' : `, in \`${holder}\``}: is it indented too far?`;
  }
  if (similar !== undefined) return `Did you mean \`${similar}\`?`;
  const all = [...here.properties.keys()];
  if (all.length === 0) return undefined;
  return all.length <= 8 ? `Fields here are ${all.map((f) => `\`${f}\``).join(', ')}` : undefined;
}
