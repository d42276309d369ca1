import { setTimeout as sleep } from 'node:timers/promises';
import { FairleadError } from '../../src/errors.ts';
import { type Rotated, type RotateOptions, type RotationStatus, type RotationStep, rotate, rotationStatus } from './rotate.ts';

export interface AutoRotateOptions extends Omit<RotateOptions, 'force'> {
  deadlineMs: number;
  everyMs: number;
  done(rotated: Rotated): void;
  /** Called when what it waits for has changed. */
  waiting(status: RotationStatus): void;
}

/** Goes through all stages that are left, each as soon as nobody is behind. Rejects with E_CA_WAITING at the deadline; it can be begun again. */
export async function autoRotate(directory: string, options: AutoRotateOptions): Promise<Rotated[]> {
  const end = performance.now() + options.deadlineMs;
  const steps: Rotated[] = [];
  let last = '';
  for (;;) {
    const status = await rotationStatus(directory, new Date());
    if (status.next === 'install') throw new FairleadError('E_CA_WAITING', 'the rotation waits for the certificate that your root signs');
    if (status.behind.length === 0) {
      const rotated = await rotate(directory, status.next as RotationStep, { ...options, force: false });
      steps.push(rotated);
      options.done(rotated);
      if (rotated.step === 'revoke') return steps;
      continue;
    }
    const now = `${status.next} ${status.behind.length}`;
    if (now !== last) options.waiting(status);
    last = now;
    if (performance.now() > end)
      throw new FairleadError('E_CA_WAITING', `${status.next} still waits for ${status.waitsFor} (${status.behind.length} behind)`, {
        next: 'Begin again with `fairlead ca rotate --auto`: it goes on where it is.',
      });
    await sleep(options.everyMs);
  }
}
