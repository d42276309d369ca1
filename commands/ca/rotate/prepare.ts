import * as Flags from '@oclif/core/flags';
import { defaultCaDirectory } from '../../../agent/ca-directory.ts';
import type { Rotated, RotationStatus } from '../../../agent/ca-rotate.ts';
import { BaseCommand } from '../../../src/cli/base-command.ts';
import { caDir, passphraseFile, passphraseOf } from '../../../src/cli/ca-flags.ts';
import * as flags from '../../../src/cli/flags.ts';

export default class CaRotatePrepare extends BaseCommand {
  static override summary = 'Make new keys for the CA, and put their root into the trust bundle; they do not sign yet.';
  static override examples = ['<%= config.bin %> ca rotate prepare'];
  static override flags = {
    'ca-dir': caDir,
    intermediate: Flags.boolean({ description: 'a new intermediate under the root that is there; the trust bundle stays' }),
    'passphrase-file': passphraseFile,
    'dry-run': Flags.boolean({ description: 'only say what would be done, or what it waits for' }),
    output: flags.output('text', 'json', 'yaml'),
  };

  async run(): Promise<Rotated | RotationStatus> {
    const { flags } = await this.parse(CaRotatePrepare);
    const directory = flags['ca-dir'] ?? defaultCaDirectory();
    const options = { force: false, intermediateOnly: flags.intermediate, passphrase: await passphraseOf(flags['passphrase-file']) };
    const [{ checkRotation, rotate }, { rotatedText, rotationText }] = await Promise.all([
      import('../../../agent/ca-rotate.ts'),
      import('../../../src/output/ca/rotation-text.ts'),
    ]);
    const status = await checkRotation(directory, 'prepare', options);
    if (flags['dry-run']) return this.print(status, flags.output, (s) => `would prepare\n${rotationText(s, new Date())}`);
    return this.print(await rotate(directory, 'prepare', options), flags.output, rotatedText);
  }
}
