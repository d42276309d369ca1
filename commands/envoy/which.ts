import { requireEnvoy } from '../../agent/envoy-binaries.ts';
import { BaseCommand } from '../../src/cli/base-command.ts';
import * as flags from '../../src/cli/flags.ts';

interface Which {
  path: string;
  version: string;
  from: 'ENVOY_PATH' | 'PATH' | 'installed';
  why: string;
}

export default class EnvoyWhich extends BaseCommand {
  static override summary = 'Show which Envoy is taken, and why this one.';
  static override description = 'ENVOY_PATH wins, then an `envoy` in the path, then the newest of those that `envoy install` has fetched.';
  static override examples = ['<%= config.bin %> envoy which', '<%= config.bin %> envoy which -o json'];
  static override flags = { output: flags.output('text', 'json', 'yaml') };

  async run(): Promise<Which> {
    const { flags } = await this.parse(EnvoyWhich);
    const { path, version, from, why } = await requireEnvoy();
    return this.print({ path, version, from, why }, flags.output, (w) => `${w.path}\nEnvoy ${w.version}; ${w.why}`);
  }
}
