#!/usr/bin/env node
// Plain JavaScript that any Node since 12 can parse: an older Node must get a sentence, not a stack trace.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(
    `fairlead: needs Node 24 or newer, but this is Node ${process.versions.node} (${process.execPath}). Install a newer Node, or run it through npx inside a project that depends on fairlead.`,
  );
  process.exitCode = 3;
} else {
  keepCompiledCode();
  if (process.env.FAIRLEAD_DEBUG) process.setSourceMapsEnabled(true);
  import('../dist/src/cli/main.js').then((cli) => cli.main(process.argv.slice(2)));
}

/**
 * Lets Node keep compiled code in the user's cache folder, before anything that is worth keeping is loaded. Node's own default is a
 * folder below /tmp, where another user could have put code first. Where it cannot be written, Node goes on without.
 */
function keepCompiledCode() {
  const { HOME, LOCALAPPDATA, NODE_COMPILE_CACHE, XDG_CACHE_HOME } = process.env;
  const caches = XDG_CACHE_HOME || (process.platform === 'win32' ? LOCALAPPDATA : HOME && `${HOME}/.cache`);
  if (caches && !NODE_COMPILE_CACHE) process.getBuiltinModule('node:module').enableCompileCache(`${caches}/fairlead/compiled`);
}
