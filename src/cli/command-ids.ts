import { readManifest } from './manifest.ts';

/** Every command and alias as people type it (`proxy-config route`), from the manifest; empty when there is none. */
export function commandIds(): string[] {
  return Object.entries(readManifest()?.commands ?? {})
    .flatMap(([id, command]) => (command.hidden ? [] : [id, ...(command.aliases ?? [])]))
    .map((id) => id.replaceAll(':', ' '));
}
