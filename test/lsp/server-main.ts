/** The server from its sources, as a process: what `fairlead lsp` runs from the bundle. */
import { startServer } from '../../src/lsp/server/start.ts';

startServer(process.stdin, process.stdout, {
  version: 'test',
  settings: { meshes: undefined, meshConfig: undefined, namespace: 'default', complete: false },
  documentation: ({ documentationUrl }) => documentationUrl,
  log: (text) => process.stderr.write(`${text}\n`),
});
