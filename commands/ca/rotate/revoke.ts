import * as Flags from '@oclif/core/flags';
import { defaultCaDirectory } from '../../../agent/ca-directory.ts';
import type { Rotated, RotationStatus } from '../../../agent/ca-rotate.ts';
import { BaseCommand } from '../../../src/cli/base-command.ts';
import { caDir } from '../../../src/cli/ca-flags.ts';
import { confirm } from '../../../src/cli/confirm.ts';
import * as flags from '../../../src/cli/flags.ts';

export default class CaRotateRevoke extends BaseCommand {
  static override summary = 'Take the old root out of the trust bundle and delete its keys, once nobody has a certificate of it.';
  static override examples = ['<%= config.bin %> ca rotate revoke'];
  static override flags = {
    'ca-dir': caDir,
    force: Flags.boolean({ description: 'go on although somebody is behind; says what breaks' }),
    yes: Flags.boolean({ char: 'y', description: 'do not ask' }),
    'dry-run': Flags.boolean({ description: 'only say what would be done, or what it waits for' }),
    output: flags.output('text', 'json', 'yaml'),
  };

  async run(): Promise<Rotated | RotationStatus> {
    const { flags } = await this.parse(CaRotateRevoke);
    const directory = flags['ca-dir'] ?? defaultCaDirectory();
    const options = { force: flags.force };
    const [{ BREAKS, checkRotation, rotate }, { rotatedText, rotationText }] = await Promise.all([
      import('../../../agent/ca-rotate.ts'),
      import('../../../src/output/ca/rotation-text.ts'),
    ]);
    const status = await checkRotation(directory, 'revoke', options);
    if (flags['dry-run']) return this.print(status, flags.output, (s) => `would revoke\n${rotationText(s, new Date())}`);
    const breaks = status.behind.length > 0 ? `; ${status.behind.length} certificates are passed over: ${BREAKS.revoke}` : '';
    await confirm(`this revokes the authority ${status.authority}${breaks}`, flags.yes);
    return this.print(await rotate(directory, 'revoke', options), flags.output, rotatedText);
  }
}
