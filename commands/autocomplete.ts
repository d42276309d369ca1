import * as Args from '@oclif/core/args';
import { BaseCommand } from '../src/cli/base-command.ts';
import { bashScript } from '../src/cli/completion/bash.ts';
import { completions } from '../src/cli/completion/completions.ts';
import { fishScript } from '../src/cli/completion/fish.ts';
import { zshScript } from '../src/cli/completion/zsh.ts';
import { readManifest } from '../src/cli/manifest.ts';
import { FairleadError } from '../src/errors.ts';

const SHELLS = { bash: bashScript, zsh: zshScript, fish: fishScript };

export default class Autocomplete extends BaseCommand {
  static override summary = 'Print the script that completes commands and flags in a shell.';
  static override description = 'Nothing is written: the script goes where your shell reads it.';
  static override examples = [
    { description: 'bash, in ~/.bashrc', command: 'source <(<%= config.bin %> autocomplete bash)' },
    { description: 'zsh, in ~/.zshrc after compinit', command: 'source <(<%= config.bin %> autocomplete zsh)' },
    { description: 'fish, once', command: '<%= config.bin %> autocomplete fish > ~/.config/fish/completions/fairlead.fish' },
  ];
  static override args = {
    shell: Args.string({
      name: 'SHELL',
      ignoreStdin: true,
      options: Object.keys(SHELLS),
      description: 'whose script [default: that of $SHELL]',
    }),
  };

  async run(): Promise<{ shell: string; script: string }> {
    const { args } = await this.parse(Autocomplete);
    const shell = args.shell ?? process.env['SHELL']?.split('/').at(-1) ?? '';
    if (!Object.hasOwn(SHELLS, shell)) {
      throw new FairleadError('E_USAGE', shell === '' ? 'SHELL is not set' : `there is no completion for ${shell}`, {
        next: `Say which shell: ${Object.keys(SHELLS).join(', ')}.`,
      });
    }
    const manifest = readManifest() ?? { commands: {}, version: this.config.version };
    const script = SHELLS[shell as keyof typeof SHELLS](completions(manifest));
    return this.print({ shell, script }, undefined, (r) => r.script);
  }
}
