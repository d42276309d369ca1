/** Settings and goldens of injection. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { injectSettingsOf } from '../../src/install/inject/from-settings.ts';
import type { InjectSettings } from '../../src/install/inject/settings.ts';
import { resolveSettings } from '../../src/install/settings/resolve.ts';

export const SEPARATOR = '=====\n';

/** Those of an installation that says nothing. */
export const injectSettings: InjectSettings = injectSettingsOf(
  resolveSettings({ injection: { namespaces: ['*'] } }, { revision: '', version: '1.2.3' }),
  'the roots\n',
);

const folder = fileURLToPath(new URL('../install/inject/goldens', import.meta.url));

/** `input`: what is before the separator; `output`: what is after it, comments included; `whole`: both. */
export function readGoldens(): { name: string; path: string; input: string; output: string; whole: string }[] {
  return readdirSync(folder)
    .sort()
    .map((name) => {
      const path = `${folder}/${name}`;
      const whole = readFileSync(path, 'utf8');
      const cut = whole.indexOf(`\n${SEPARATOR}`);
      const input = cut === -1 ? whole : whole.slice(0, cut + 1);
      return { name, path, input, output: cut === -1 ? '' : whole.slice(cut + 1 + SEPARATOR.length), whole };
    });
}
