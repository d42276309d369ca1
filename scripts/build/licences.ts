/** The licences of the packages whose code is in the bundle. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A text with the name, version and licence of every package that one of `inputs` (paths as esbuild's metafile has them) belongs to. */
export function licences(inputs: readonly string[], root: string): string {
  const folders = new Set(inputs.flatMap((input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? []));
  const parts = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Record<string, string>;
    const file = readdirSync(join(root, folder)).find((f) => /^(licen[cs]e|copying)/i.test(f));
    const text = file === undefined ? '' : readFileSync(join(root, folder, file), 'utf8').trim();
    return { title: `${name} ${version} (${license})`, text };
  });
  const unique = new Map(parts.map((part) => [part.title, part.text]));
  return [
    'The files in this folder contain code of the following packages.',
    ...[...unique].map(([title, text]) => `${'-'.repeat(80)}\n${title}\n\n${text}`),
  ]
    .join('\n\n')
    .concat('\n');
}
