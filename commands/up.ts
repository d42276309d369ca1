import { existsSync } from 'node:fs';
import * as Flags from '@oclif/core/flags';
import type { EngineChoice } from '../agent/choose-engine.ts';
import { argument } from '../src/cli/argument.ts';
import { BaseCommand } from '../src/cli/base-command.ts';
import { clusterName, clustersFlags } from '../src/cli/cluster-flags.ts';
import * as flags from '../src/cli/flags.ts';
import { identityFlags, identityOptions } from '../src/cli/identity-flags.ts';
import { endWithReader } from '../src/cli/reader-gone.ts';
import { FairleadError } from '../src/errors.ts';

export default class Up extends BaseCommand {
  static override enableJsonFlag = false;
  static override summary = 'Run a folder of Istio configuration as this node’s mesh, reloaded on every save.';
  static override description =
    `In the foreground, until Ctrl-C: that is its end, and exit code 0, however early. Prints one line for each request and each
change. A file saved broken is reported with its line, and the last good configuration runs on.`;
  static override examples = [
    '<%= config.bin %> up',
    '<%= config.bin %> up my-mesh/',
    '<%= config.bin %> up -k --context kind',
    'curl -x http://127.0.0.1:15001 http://reviews:9080/',
  ];
  static override args = { dir: argument('DIR', 'file or folder of configuration [default: ./mesh]') };
  static override flags = {
    config: flags.config,
    ...clustersFlags,
    namespace: flags.namespace,
    'mesh-config': Flags.string({ helpValue: 'FILE', description: 'MeshConfig, as in Istio’s ConfigMap key mesh' }),
    data: Flags.string({ helpValue: 'DIR', description: 'data directory [default: one for each folder, in the user’s state directory]' }),
    engine: flags.engine,
    ...identityFlags,
    'api-port': Flags.integer({
      helpValue: 'PORT',
      description: 'port of the agent’s API on loopback; 0 takes a free one',
      default: 15000,
      min: 0,
      max: 65535,
    }),
    'allow-unenforced': Flags.boolean({
      description: 'run although some policies cannot be enforced here: those are left out, and reported',
    }),
    quiet: flags.quiet,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Up);
    const live = flags.kubernetes ? await (await import('../agent/live-source.ts')).kubernetesSource(clusterName(flags)) : undefined;
    const paths = args.dir ? [args.dir, ...(flags.config ?? [])] : this.configPaths(flags.config, live?.source);
    for (const path of paths) {
      if (path === '-') throw new FairleadError('E_USAGE', 'standard input cannot be watched', { next: 'Name a file or a folder.' });
      if (!existsSync(path))
        throw new FairleadError('E_CONFIG_UNREADABLE', `${path} does not exist`, {
          next: 'Name a file or folder with Istio configuration, or try `fairlead demo`.',
        });
    }
    const identity = await identityOptions(flags);
    const { runForeground } = await import('../agent/foreground.ts');
    const endWatch = endWithReader();
    await runForeground({
      paths,
      live,
      namespace: flags.namespace,
      ...(flags['mesh-config'] ? { meshConfig: flags['mesh-config'] } : {}),
      ...(flags.data ? { dataDirectory: flags.data } : {}),
      engine: flags.engine as EngineChoice,
      identity,
      apiPort: flags['api-port'],
      allowUnenforced: flags['allow-unenforced'],
      version: this.config.version,
      quiet: flags.quiet,
      color: this.color,
      errorColor: this.errorColor,
      write: (text) => this.write(text),
    }).finally(endWatch);
  }
}
