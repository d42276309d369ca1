/** The commands as oclif.manifest.json, made by the build, describes them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from '@oclif/core/command';
import { packageRoot } from './package-root.ts';

export interface Manifest {
  /** By id (`proxy-config:route`), in no order. */
  readonly commands: Readonly<Record<string, Command.Cached>>;
  readonly version: string;
}

/** Reads the manifest; undefined when there is none, as in a work tree that was not built. */
export function readManifest(): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(join(packageRoot(), 'oclif.manifest.json'), 'utf8')) as Manifest;
  } catch {
    return undefined;
  }
}
