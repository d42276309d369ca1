import type { AuthorizationInput } from './types.ts';

/** One compiled rule. */
export type InputTest = (input: AuthorizationInput) => boolean;

export const always: InputTest = () => true;
export const never: InputTest = () => false;

/** Holds when all do; of none it does. */
export function allOf(tests: readonly InputTest[]): InputTest {
  if (tests.length === 1) return tests[0]!;
  return (input) => {
    for (const test of tests) if (!test(input)) return false;
    return true;
  };
}

/** Holds when any does; of none it does not. */
export function anyOf(tests: readonly InputTest[]): InputTest {
  if (tests.length === 1) return tests[0]!;
  return (input) => {
    for (const test of tests) if (test(input)) return true;
    return false;
  };
}
