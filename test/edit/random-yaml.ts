/** Random YAML documents as people write them: block and flow, comments, blank lines, quotes, empty values. */

import { isMapValue } from '../../src/edit/equal.ts';
import type { Random } from '../config/random.ts';

const words = [
  'reviews',
  'v1',
  'a b',
  'yes',
  '0777',
  '1.5',
  '',
  'x: y',
  '# no comment',
  "it's",
  '"quoted"',
  '- dash',
  'null',
  '*star',
  'ü',
  'two\nlines',
  'end\n',
];

export function randomValue(random: Random, depth = 0): unknown {
  const kind = depth > 3 ? 2 : random.below(3);
  if (kind === 0) {
    const map: Record<string, unknown> = {};
    for (let i = random.below(4); i >= 0; i--) map[`k${random.below(8)}`] = randomValue(random, depth + 1);
    return map;
  }
  if (kind === 1) return Array.from({ length: random.below(4) }, () => randomValue(random, depth + 1));
  return randomScalar(random);
}

export function randomScalar(random: Random): unknown {
  const kind = random.below(6);
  if (kind === 0) return random.below(100);
  if (kind === 1) return random.below(2) === 0;
  if (kind === 2) return null;
  return words[random.below(words.length)];
}

/** One small change somewhere. */
export function mutate(random: Random, value: unknown): unknown {
  if (Array.isArray(value) && value.length > 0 && random.below(4) > 0) {
    const at = random.below(value.length);
    const copy = [...value];
    const kind = random.below(5);
    if (kind === 0) copy.splice(at, 1);
    else if (kind === 1) copy.splice(at + random.below(2), 0, randomValue(random, 2));
    else copy[at] = mutate(random, copy[at]);
    return copy;
  }
  if (isMapValue(value) && Object.keys(value).length > 0 && random.below(4) > 0) {
    const keys = Object.keys(value);
    const key = keys[random.below(keys.length)] as string;
    const copy = { ...value };
    const kind = random.below(5);
    if (kind === 0) delete copy[key];
    else if (kind === 1) copy[`n${random.below(5)}`] = randomValue(random, 2);
    else copy[key] = mutate(random, copy[key]);
    return copy;
  }
  return random.below(3) === 0 ? randomValue(random, 2) : randomScalar(random);
}

/** Writes a value with a random layout; each comment is one of its own. */
export function writeYaml(random: Random, value: unknown): string {
  let comments = 0;
  const indentLists = random.below(2) === 0;
  const step = 2 + random.below(2);
  const comment = (): string => (random.below(5) === 0 ? ` # c${comments++}` : '');
  const above = (pad: string): string => {
    if (random.below(8) === 0) return `\n`;
    return random.below(6) === 0 ? `${pad}# c${comments++}\n` : '';
  };
  const scalar = (v: unknown): string => {
    if (typeof v !== 'string') return JSON.stringify(v);
    if (/^[a-z][a-z0-9]*$/.test(v) && !['yes', 'null'].includes(v) && random.below(2) === 0) return v;
    return !v.includes('\n') && random.below(2) === 0 ? `'${v.replaceAll("'", "''")}'` : JSON.stringify(v);
  };
  const flow = (v: unknown): string => {
    const pad = random.below(2) === 0 ? ' ' : '';
    if (Array.isArray(v)) return v.length === 0 ? '[]' : `[${pad}${v.map(flow).join(', ')}${pad}]`;
    if (!isMapValue(v)) return scalar(v);
    const keys = Object.keys(v);
    return keys.length === 0 ? '{}' : `{${pad}${keys.map((k) => `${k}: ${flow(v[k])}`).join(', ')}${pad}}`;
  };
  /** Behind `key:` or `-`; begins with a space or a line break, ends with a line break. */
  const node = (v: unknown, column: number, behindDash: boolean): string => {
    const nested = (Array.isArray(v) && v.length > 0) || (isMapValue(v) && Object.keys(v).length > 0);
    if (!nested || random.below(4) === 0) {
      if (v === null && random.below(2) === 0) return `${comment()}\n`;
      if (typeof v === 'string' && /^[a-z]+\n[a-z]+$/.test(v) && random.below(2) === 0)
        return ` |-\n${v
          .split('\n')
          .map((l) => `${' '.repeat(column + 2)}${l}\n`)
          .join('')}`;
      return ` ${flow(v)}${comment()}\n`;
    }
    if (behindDash) {
      const text = block(v, column + 2);
      if (random.below(4) > 0)
        return ` ${text.trimStart().startsWith('#') || text.startsWith('\n') ? `# c${comments++}\n${text}` : text.slice(column + 2)}`;
      return `${comment()}\n${text}`;
    }
    return `${comment()}\n${block(v, Array.isArray(v) && !indentLists ? column : column + step)}`;
  };
  const block = (v: unknown, column: number): string => {
    const pad = ' '.repeat(column);
    if (Array.isArray(v)) return v.map((item) => `${above(pad)}${pad}-${node(item, column, true)}`).join('');
    return Object.entries(v as object)
      .map(([key, item]) => `${above(pad)}${pad}${key}:${node(item, column, false)}`)
      .join('');
  };
  const start = random.below(3) === 0 ? '---\n' : '';
  return `${start}${above('')}${block(value, 0)}${random.below(4) === 0 ? `# c${comments++}\n` : ''}`;
}
