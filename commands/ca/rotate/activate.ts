import { defaultCaDirectory } from '../../../agent/ca-directory.ts';
import type { Rotated, RotationStatus } from '../../../agent/ca-rotate.ts';
import { RotationCommand, rotationFlags } from '../../../src/cli/rotation-command.ts';

export default class CaRotateActivate extends RotationCommand {
  static override summary = 'Let the prepared authority sign, once everyone trusts it.';
  static override examples = ['<%= config.bin %> ca rotate activate'];
  static override flags = rotationFlags;

  async run(): Promise<Rotated | RotationStatus> {
    const { flags } = await this.parse(CaRotateActivate);
    const rotation = await import('../../../agent/ca-rotate.ts');
    return this.take('activate', flags['ca-dir'] ?? defaultCaDirectory(), flags, rotation);
  }
}
