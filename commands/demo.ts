import { join } from 'node:path';
import * as Flags from '@oclif/core/flags';
import type { EngineChoice } from '../agent/choose-engine.ts';
import type { DemoResult } from '../agent/demo.ts';
import { exitCodeOf } from '../agent/signals.ts';
import { BaseCommand } from '../src/cli/base-command.ts';
import * as flags from '../src/cli/flags.ts';
import { EXIT } from '../src/errors.ts';
import { demoText } from '../src/output/demo.ts';

export default class Demo extends BaseCommand {
  static override summary = 'Start a small shop behind the mesh and show what the mesh does, live.';
  static override description =
    `Real HTTP services, the agent and an engine, from the shipped examples/shop/mesh. Ends by itself with what was
counted; exit code 1 when something it shows did not happen, 130 when Ctrl-C cut it short (with --keep, once all was shown, Ctrl-C
is its end: 0).`;
  static override examples = ['<%= config.bin %> demo', '<%= config.bin %> demo --keep'];
  static override flags = {
    keep: Flags.boolean({ description: 'leave it running afterwards, until Ctrl-C, and print commands to try' }),
    seconds: Flags.integer({ helpValue: 'SECONDS', description: 'how long the acts take', default: 28, min: 20, max: 600 }),
    engine: flags.engine,
    'api-port': Flags.integer({
      helpValue: 'PORT',
      description: 'port of the agent’s API on loopback; 0 takes a free one',
      default: 0,
      min: 0,
      max: 65535,
    }),
  };

  async run(): Promise<DemoResult> {
    const { flags } = await this.parse(Demo);
    const { runDemo } = await import('../agent/demo.ts');
    const quiet = this.jsonEnabled();
    const columns = (): number => process.stdout.columns ?? Number.POSITIVE_INFINITY;
    const result = await runDemo({
      mesh: join(this.config.root, 'examples', 'shop', 'mesh'),
      seconds: flags.seconds,
      engine: flags.engine as EngineChoice,
      apiPort: flags['api-port'],
      keep: flags.keep,
      version: this.config.version,
      terminal: !quiet && Boolean(process.stdout.isTTY),
      color: this.color,
      columns,
      write: (text) => {
        if (!quiet) this.write(text);
      },
    });
    if (result.interrupted) process.exitCode = exitCodeOf(result.signal ?? 'SIGINT');
    else if (result.acts.some((a) => !a.happened)) process.exitCode = EXIT.findings;
    // With --keep it was shown before the wait.
    if (flags.keep && !quiet && !result.interrupted) return result;
    return this.print(result, undefined, (r) => demoText(r, { color: this.color, width: columns() }));
  }
}
