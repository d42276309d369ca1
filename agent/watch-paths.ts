/** Watching configuration, for commands. */
export { type Watched, watchPaths } from './source/folder.ts';
