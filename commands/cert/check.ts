import { argument } from '../../src/cli/argument.ts';
import { BaseCommand } from '../../src/cli/base-command.ts';
import * as flags from '../../src/cli/flags.ts';
import { span } from '../../src/cli/within.ts';
import { EXIT, FairleadError } from '../../src/errors.ts';

export interface CertChecked {
  source: string;
  certificate: string;
  notAfter: string;
  secondsLeft: number;
  state: 'valid' | 'expiring' | 'expired' | 'not-yet-valid' | 'weak';
  message: string;
}

export default class CertCheck extends BaseCommand {
  static override summary = 'Say which certificates expire soon, have expired, are not valid yet, or are weak; for cron and CI.';
  static override description = 'Exit code 1 when there is one. Every certificate of a chain is looked at, authorities included.';
  static override examples = [
    '<%= config.bin %> cert check certs/ --within 30d',
    '<%= config.bin %> cert check shop.example.com:443 --within 14d -q',
  ];
  static override strict = false;
  static override args = { source: argument('SOURCE…', 'files, folders, - for standard input, HOST:PORT') };
  static override flags = {
    within: span('within', 'how soon is soon', '7d'),
    output: flags.output('text', 'json', 'yaml'),
    quiet: flags.quiet,
  };

  async run(): Promise<CertChecked[]> {
    const { argv, flags } = await this.parse(CertCheck);
    if (argv.length === 0)
      throw new FairleadError('E_USAGE', 'say which certificates to check', { next: 'Name files, folders, `-`, or HOST:PORT.' });
    const [{ readCertificateSource }, { checkCertificate }] = await Promise.all([
      import('../../src/cli/certificate-source.ts'),
      import('../../src/output/certificates/certificate-check.ts'),
    ]);
    const options = { passphrase: process.env['FAIRLEAD_PASSPHRASE'], timeoutMs: 10_000 };
    const sources = (await Promise.all((argv as string[]).map((name) => readCertificateSource(name, options)))).flat();
    const now = new Date();
    const checked = sources.flatMap((source) => source.certificates.map((c) => checkCertificate(source.name, c, now, flags.within)));
    if (checked.some((c) => c.state !== 'valid')) process.exitCode = EXIT.findings;
    return this.print(checked, flags.output, () =>
      checked
        .filter((c) => !flags.quiet || c.state !== 'valid')
        .map((c) => `${c.state.toUpperCase().padEnd(14)} ${c.source}: ${c.message}`)
        .join('\n'),
    );
  }
}
