import { defaultCaDirectory } from '../../../agent/ca-directory.ts';
import type { Rotated, RotationStatus } from '../../../agent/ca-rotate.ts';
import { RotationCommand, rotationFlags } from '../../../src/cli/rotation-command.ts';

export default class CaRotateTaint extends RotationCommand {
  static override summary = 'Have everyone renew who still has a certificate of the old authority.';
  static override examples = ['<%= config.bin %> ca rotate taint'];
  static override flags = rotationFlags;

  async run(): Promise<Rotated | RotationStatus> {
    const { flags } = await this.parse(CaRotateTaint);
    const rotation = await import('../../../agent/ca-rotate.ts');
    return this.take('taint', flags['ca-dir'] ?? defaultCaDirectory(), flags, rotation);
  }
}
