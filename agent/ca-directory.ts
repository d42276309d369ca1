/** Where a CA is by default, for commands. */
export { defaultCaDirectory } from './ca/directory.ts';
