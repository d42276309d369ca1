import * as Flags from '@oclif/core/flags';
import type { IssuedView } from '../../agent/ca.ts';
import { defaultCaDirectory } from '../../agent/ca-directory.ts';
import { BaseCommand } from '../../src/cli/base-command.ts';
import { caDir } from '../../src/cli/ca-flags.ts';
import * as flags from '../../src/cli/flags.ts';

export default class CertList extends BaseCommand {
  static override summary = 'List the certificates that the CA has issued, from its audit log: those in use, or all.';
  static override examples = [
    '<%= config.bin %> cert list',
    '<%= config.bin %> cert list --all --identity spiffe://cluster.local/ns/default/sa/web -o json',
  ];
  static override flags = {
    'ca-dir': caDir,
    all: Flags.boolean({ description: 'expired and replaced ones too' }),
    identity: Flags.string({ helpValue: 'ID', description: 'only those of this identity' }),
    output: flags.output('text', 'json', 'yaml'),
  };

  async run(): Promise<IssuedView[]> {
    const { flags } = await this.parse(CertList);
    const [{ issuedCertificates }, { formatTable }, { relativeTime }] = await Promise.all([
      import('../../agent/ca.ts'),
      import('../../src/output/table.ts'),
      import('../../src/output/certificates/certificate-view.ts'),
    ]);
    const now = new Date();
    const all = await issuedCertificates(flags['ca-dir'] ?? defaultCaDirectory(), now);
    const shown = all.filter((c) => (flags.all || c.state === 'current') && (!flags.identity || c.identity === flags.identity));
    const left = (notAfter: string): number => Math.floor((Date.parse(notAfter) - now.getTime()) / 1000);
    return this.print(shown, flags.output, () =>
      shown.length === 0
        ? 'no certificates'
        : formatTable({
            columns: ['IDENTITY', 'STATE', 'EXPIRES', 'AUTHORITY', 'ASKED BY', 'SERIAL'],
            rows: shown.map((c) => [c.identity, c.state.toUpperCase(), relativeTime(left(c.notAfter)), c.authority, c.caller, c.serial]),
          }),
    );
  }
}
