/** What the steps of a rotation after its first one have in common: they wait for everyone, and can be forced. */
import * as Flags from '@oclif/core/flags';
import type { ShownRotation, ShownStep } from '../output/ca/rotation-text.ts';
import { BaseCommand } from './base-command.ts';
import { caDir } from './ca-flags.ts';
import { confirm } from './confirm.ts';
import * as flags from './flags.ts';

type Step = 'activate' | 'taint' | 'revoke';

/** agent/ca-rotate.ts, as far as a step needs it. */
interface Rotation<Status extends ShownRotation, Done extends ShownStep> {
  readonly BREAKS: Readonly<Record<Step, string>>;
  checkRotation(directory: string, step: Step, options: { force: boolean }): Promise<Status>;
  rotate(directory: string, step: Step, options: { force: boolean }): Promise<Done>;
}

export const rotationFlags = {
  'ca-dir': caDir,
  force: Flags.boolean({ description: 'go on although somebody is behind; says what breaks' }),
  yes: Flags.boolean({ char: 'y', description: 'do not ask' }),
  'dry-run': Flags.boolean({ description: 'only say what would be done, or what it waits for' }),
  output: flags.output('text', 'json', 'yaml'),
};

export interface RotationFlags {
  force: boolean;
  yes: boolean;
  'dry-run': boolean;
  output: string | undefined;
}

export abstract class RotationCommand extends BaseCommand {
  /**
   * Takes one step, or says what it waits for. Throws what the rotation throws, and E_USAGE when it is not confirmed.
   *
   * @param always asks also when nobody is behind: it cannot be undone
   */
  protected async take<Status extends ShownRotation, Done extends ShownStep>(
    step: Step,
    directory: string,
    { force, yes, 'dry-run': dryRun, output }: RotationFlags,
    { BREAKS, checkRotation, rotate }: Rotation<Status, Done>,
    always = false,
  ): Promise<Status | Done> {
    const { rotatedText, rotationText } = await import('../output/ca/rotation-text.ts');
    const status = await checkRotation(directory, step, { force });
    if (dryRun) return this.print(status, output, (shown) => `would ${step}\n${rotationText(shown, new Date())}`);
    const behind = status.behind.length;
    const breaks = behind > 0 ? `; ${behind} certificates are passed over: ${BREAKS[step]}` : '';
    if (behind > 0 || always) await confirm(`this ${step}s the authority ${status.authority}${breaks}`, yes);
    return this.print(await rotate(directory, step, { force }), output, rotatedText);
  }
}
