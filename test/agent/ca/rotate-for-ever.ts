/** Rotates a CA again and again until it is killed; says so before it begins. */
import { type RotationStep, rotate, rotationStatus } from '../../../agent/ca/rotate.ts';

const directory = process.argv[2] as string;
process.stdout.write('rotating\n');
for (;;) {
  const { next } = await rotationStatus(directory, new Date());
  await rotate(directory, next as RotationStep, { force: true });
}
