#!/usr/bin/env node
// Plain JavaScript that any Node since 12 can parse: an older Node must get a sentence, not a stack trace.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(`fairlead: needs Node 24 or newer, but this is Node ${process.versions.node} (${process.execPath}). Install a newer Node, or run it through npx inside a project that depends on fairlead.`);
  process.exitCode = 3;
} else {
  import('../dist/src/cli/main.js').then((cli) => cli.main(process.argv.slice(2), import.meta.url));
}
