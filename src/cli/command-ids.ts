import { readFileSync } from 'node:fs';

/** Every command and alias as people type it (`proxy-config route`), from the manifest; empty when there is none. */
export function commandIds(): string[] {
  for (const up of ['../../oclif.manifest.json', '../../../oclif.manifest.json']) {
    try {
      const manifest = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as {
        commands: Record<string, { aliases?: string[]; hidden?: boolean }>;
      };
      return Object.entries(manifest.commands)
        .flatMap(([id, c]) => (c.hidden ? [] : [id, ...(c.aliases ?? [])]))
        .map((id) => id.replaceAll(':', ' '));
    } catch {
      // Not this one: sources and dist lie at different depths below the manifest.
    }
  }
  return [];
}
