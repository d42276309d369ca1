/** The one place that loads oclif's runner, so that nothing of it is read before it is needed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PJSON } from '@oclif/core/interfaces';
import { run } from '@oclif/core/run';
import { readManifest } from './manifest.ts';
import { packageRoot } from './package-root.ts';
import { rootPlugin } from './root-plugin.ts';

/**
 * Runs one command line by oclif. Throws what the command throws.
 *
 * Only Fairlead's own commands are there: no plugins from the user's data folder, which oclif would load otherwise.
 */
export async function runOclif(typed: string[]): Promise<void> {
  const argv = helpAsFlag(typed);
  const root = packageRoot();
  const options = { root, enablePerf: false, userPlugins: false, devPlugins: false };
  const manifest = readManifest();
  if (manifest === undefined) {
    await run(argv, options);
    return;
  }
  const pjson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as PJSON;
  await run(argv, { ...options, plugins: new Map([[pjson.name, rootPlugin(root, pjson, manifest)]]) });
}

/** `fairlead help up` is `fairlead up --help`, and `fairlead help` is `fairlead --help`. */
function helpAsFlag(argv: string[]): string[] {
  return argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv;
}
