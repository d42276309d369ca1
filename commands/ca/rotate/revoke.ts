import { defaultCaDirectory } from '../../../agent/ca-directory.ts';
import type { Rotated, RotationStatus } from '../../../agent/ca-rotate.ts';
import { RotationCommand, rotationFlags } from '../../../src/cli/rotation-command.ts';

export default class CaRotateRevoke extends RotationCommand {
  static override summary = 'Take the old root out of the trust bundle and delete its keys, once nobody has a certificate of it.';
  static override examples = ['<%= config.bin %> ca rotate revoke'];
  static override flags = rotationFlags;

  async run(): Promise<Rotated | RotationStatus> {
    const { flags } = await this.parse(CaRotateRevoke);
    const rotation = await import('../../../agent/ca-rotate.ts');
    return this.take('revoke', flags['ca-dir'] ?? defaultCaDirectory(), flags, rotation, true);
  }
}
