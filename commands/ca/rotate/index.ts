import * as Flags from '@oclif/core/flags';
import { defaultCaDirectory } from '../../../agent/ca-directory.ts';
import type { Rotated } from '../../../agent/ca-rotate.ts';
import { BaseCommand } from '../../../src/cli/base-command.ts';
import { caDir, passphraseFile, passphraseOf } from '../../../src/cli/ca-flags.ts';
import { confirm } from '../../../src/cli/confirm.ts';
import * as flags from '../../../src/cli/flags.ts';
import { span } from '../../../src/cli/within.ts';
import { FairleadError } from '../../../src/errors.ts';

export default class CaRotate extends BaseCommand {
  static override summary =
    'Replace the CA’s keys in stages that drop no request: with --auto all of them, each as soon as nobody is behind.';
  static override description =
    'prepare, activate, taint, revoke. It can be stopped and begun again at any time: it goes on where it is. `ca rotate status` shows who is behind.';
  static override examples = [
    '<%= config.bin %> ca rotate --auto --yes',
    '<%= config.bin %> ca rotate --auto --intermediate --deadline 72h',
  ];
  static override flags = {
    'ca-dir': caDir,
    auto: Flags.boolean({ description: 'do all stages that are left' }),
    intermediate: Flags.boolean({ description: 'a new intermediate under the root that is there', dependsOn: ['auto'] }),
    deadline: span('deadline', 'how long it waits in all', '72h'),
    'passphrase-file': passphraseFile,
    yes: Flags.boolean({ char: 'y', description: 'do not ask' }),
    output: flags.output('text', 'json', 'yaml'),
  };

  async run(): Promise<Rotated[]> {
    const { flags } = await this.parse(CaRotate);
    if (!flags.auto)
      throw new FairleadError('E_USAGE', 'say which stage, or --auto for all of them', {
        next: 'Stages are prepare, activate, taint and revoke; status shows where it is.',
      });
    const passphrase = await passphraseOf(flags['passphrase-file']);
    await confirm('this replaces the CA’s keys, and deletes the old ones at the end', flags.yes);
    const [{ autoRotate }, { rotatedText, rotationText }] = await Promise.all([
      import('../../../agent/ca-rotate.ts'),
      import('../../../src/output/ca/rotation-text.ts'),
    ]);
    const say = (text: string): void => void process.stderr.write(`${text}\n`);
    const done = await autoRotate(flags['ca-dir'] ?? defaultCaDirectory(), {
      intermediateOnly: flags.intermediate,
      passphrase,
      deadlineMs: flags.deadline,
      everyMs: 1000,
      done: (rotated) => say(rotatedText(rotated)),
      waiting: (status) => say(rotationText(status, new Date())),
    });
    return this.print(done, flags.output, () => 'the rotation is complete');
  }
}
