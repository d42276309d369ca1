import * as Flags from '@oclif/core/flags';
import { defaultCaDirectory } from '../../../agent/ca-directory.ts';
import type { Rotated, RotationStatus } from '../../../agent/ca-rotate.ts';
import { BaseCommand } from '../../../src/cli/base-command.ts';
import { caDir } from '../../../src/cli/ca-flags.ts';
import { confirm } from '../../../src/cli/confirm.ts';
import * as flags from '../../../src/cli/flags.ts';

export default class CaRotateTaint extends BaseCommand {
  static override summary = 'Have everyone renew who still has a certificate of the old authority.';
  static override examples = ['<%= config.bin %> ca rotate taint'];
  static override flags = {
    'ca-dir': caDir,
    force: Flags.boolean({ description: 'go on although somebody is behind; says what breaks' }),
    yes: Flags.boolean({ char: 'y', description: 'do not ask' }),
    'dry-run': Flags.boolean({ description: 'only say what would be done, or what it waits for' }),
    output: flags.output('text', 'json', 'yaml'),
  };

  async run(): Promise<Rotated | RotationStatus> {
    const { flags } = await this.parse(CaRotateTaint);
    const directory = flags['ca-dir'] ?? defaultCaDirectory();
    const options = { force: flags.force };
    const [{ BREAKS, checkRotation, rotate }, { rotatedText, rotationText }] = await Promise.all([
      import('../../../agent/ca-rotate.ts'),
      import('../../../src/output/ca/rotation-text.ts'),
    ]);
    const status = await checkRotation(directory, 'taint', options);
    if (flags['dry-run']) return this.print(status, flags.output, (s) => `would taint\n${rotationText(s, new Date())}`);
    const breaks = status.behind.length > 0 ? `; ${status.behind.length} certificates are passed over: ${BREAKS.taint}` : '';
    if (status.behind.length > 0) await confirm(`this taints the authority ${status.authority}${breaks}`, flags.yes);
    return this.print(await rotate(directory, 'taint', options), flags.output, rotatedText);
  }
}
