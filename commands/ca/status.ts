import type { CaStatus } from '../../agent/ca.ts';
import { defaultCaDirectory } from '../../agent/ca-directory.ts';
import { BaseCommand } from '../../src/cli/base-command.ts';
import { caDir } from '../../src/cli/ca-flags.ts';
import * as flags from '../../src/cli/flags.ts';
import { span } from '../../src/cli/within.ts';
import { EXIT } from '../../src/errors.ts';

export default class CaStatusCommand extends BaseCommand {
  static override summary = 'Show the certificate authority: its keys and their stages, and when they expire.';
  static override description = 'Exit code 1 when the authority that signs expires within --within, or when none signs. No key is opened.';
  static override examples = ['<%= config.bin %> ca status', '<%= config.bin %> ca status --within 60d -o json'];
  static override flags = {
    'ca-dir': caDir,
    within: span('within', 'how soon is soon', '30d'),
    output: flags.output('text', 'json', 'yaml'),
  };

  async run(): Promise<CaStatus & { warnings: string[] }> {
    const { flags } = await this.parse(CaStatusCommand);
    const [{ caStatus }, { caStatusText }, { relativeTime }] = await Promise.all([
      import('../../agent/ca.ts'),
      import('../../src/output/ca/ca-status-text.ts'),
      import('../../src/output/certificates/certificate-view.ts'),
    ]);
    const status = caStatus(flags['ca-dir'] ?? defaultCaDirectory(), new Date());
    const active = status.authorities.find(({ stage }) => stage === 'active');
    const warnings = active === undefined ? ['no authority signs: its certificate is not installed yet'] : [];
    for (const [name, found] of [['root', active?.root] as const, ['intermediate', active?.intermediate] as const])
      if (found && found.secondsLeft * 1000 <= flags.within)
        warnings.push(
          `the ${name} of ${active?.id} ${found.secondsLeft < 0 ? 'expired' : 'expires'} ${relativeTime(found.secondsLeft)}: replace it with \`ca rotate\``,
        );
    if (warnings.length > 0) process.exitCode = EXIT.findings;
    return this.print({ ...status, warnings }, flags.output, (s) => [caStatusText(s), ...warnings.map((w) => `WARNING: ${w}`)].join('\n'));
  }
}
