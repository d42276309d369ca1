import { defaultCaDirectory } from '../../../agent/ca-directory.ts';
import type { RotationStatus } from '../../../agent/ca-rotate.ts';
import { BaseCommand } from '../../../src/cli/base-command.ts';
import { caDir } from '../../../src/cli/ca-flags.ts';
import * as flags from '../../../src/cli/flags.ts';

export default class CaRotateStatus extends BaseCommand {
  static override summary = 'Show where a rotation of the CA’s keys stands, what it waits for, and who is behind.';
  static override examples = ['<%= config.bin %> ca rotate status'];
  static override flags = { 'ca-dir': caDir, output: flags.output('text', 'json', 'yaml') };

  async run(): Promise<RotationStatus> {
    const { flags } = await this.parse(CaRotateStatus);
    const [{ rotationStatus }, { rotationText }] = await Promise.all([
      import('../../../agent/ca-rotate.ts'),
      import('../../../src/output/ca/rotation-text.ts'),
    ]);
    const now = new Date();
    return this.print(await rotationStatus(flags['ca-dir'] ?? defaultCaDirectory(), now), flags.output, (status) =>
      rotationText(status, now),
    );
  }
}
