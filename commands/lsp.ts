import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../src/cli/base-command.ts';
import * as flags from '../src/cli/flags.ts';
import { packageRoot } from '../src/cli/package-root.ts';

export default class Lsp extends BaseCommand {
  static override summary = 'Serve editors: diagnostics, field docs, completion, and jumps between routes, hosts, subsets and gateways.';
  static override description =
    `Speaks the Language Server Protocol on standard input and output, until the editor ends it; log lines go to standard error.
docs/editors.md says how VS Code, Neovim, Helix, Emacs and JetBrains IDEs start it. The flags are defaults for what an editor does not set itself.`;
  static override examples = ['<%= config.bin %> lsp', '<%= config.bin %> lsp --complete --mesh-config mesh-config.yaml'];
  static override enableJsonFlag = false;
  static override flags = {
    namespace: flags.namespace,
    'mesh-config': Flags.string({ helpValue: 'FILE', description: 'a file with a MeshConfig, relative to the workspace folder' }),
    complete: Flags.boolean({ description: 'the workspace is the whole mesh: what is not in it does not exist' }),
    stdio: Flags.boolean({ description: 'standard input and output, the only way there is: editors ask for it', hidden: true }),
    clientProcessId: Flags.integer({ helpValue: 'PID', description: 'end with this process: editors say theirs', hidden: true }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Lsp);
    const { startServer } = await import('../src/lsp/server/start.ts');
    startServer(process.stdin, process.stdout, {
      version: this.config.version,
      settings: { meshes: undefined, meshConfig: flags['mesh-config'], namespace: flags.namespace, complete: flags.complete },
      documentation({ documentationUrl }) {
        return documentationUrl.includes('://') ? documentationUrl : pathToFileURL(join(packageRoot(), documentationUrl)).href;
      },
      log: (text) => process.stderr.write(`fairlead lsp: ${text}\n`),
    });
  }
}
