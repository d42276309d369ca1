/** Rotation of the CA's keys, for commands. */
export { autoRotate } from './ca/auto-rotate.ts';
export type { Holder } from './ca/holders.ts';
export { BREAKS, checkRotation, type Rotated, type RotationStatus, type RotationStep, rotate, rotationStatus } from './ca/rotate.ts';
