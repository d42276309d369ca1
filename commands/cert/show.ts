import * as Flags from '@oclif/core/flags';
import { argument } from '../../src/cli/argument.ts';
import { BaseCommand } from '../../src/cli/base-command.ts';
import * as flags from '../../src/cli/flags.ts';
import { FairleadError } from '../../src/errors.ts';
import type { CertificateView } from '../../src/output/certificates/certificate-view.ts';

export interface CertShown {
  source: string;
  certificates: readonly CertificateView[];
}

export default class CertShow extends BaseCommand {
  static override summary = 'Show certificates: from PEM, DER, PKCS#12, a Secret’s manifest, a config dump, or a live TLS port.';
  static override description =
    'Nothing is verified: `cert verify` does that. The passphrase of a PKCS#12 file is taken from FAIRLEAD_PASSPHRASE.';
  static override examples = [
    '<%= config.bin %> cert show web.pem',
    'kubectl get secret web-cert -o yaml | <%= config.bin %> cert show -',
    '<%= config.bin %> cert show 127.0.0.1:8443 --sni shop.example.com -o pem',
  ];
  static override strict = false;
  static override args = { source: argument('SOURCE…', 'files, folders, - for standard input, HOST:PORT') };
  static override flags = {
    sni: Flags.string({ helpValue: 'NAME', description: 'server name to ask a port for [default: the host]' }),
    output: flags.output('text', 'json', 'yaml', 'pem'),
  };

  async run(): Promise<CertShown[]> {
    const { argv, flags } = await this.parse(CertShow);
    if (argv.length === 0)
      throw new FairleadError('E_USAGE', 'say which certificates to show', { next: 'Name files, folders, `-`, or HOST:PORT.' });
    const [{ readCertificateSource }, { certificateView }, { certificateText }] = await Promise.all([
      import('../../src/cli/certificate-source.ts'),
      import('../../src/output/certificates/certificate-view.ts'),
      import('../../src/output/certificates/certificate-text.ts'),
    ]);
    const options = { sni: flags.sni, passphrase: process.env['FAIRLEAD_PASSPHRASE'], timeoutMs: 10_000 };
    const sources = (await Promise.all((argv as string[]).map((name) => readCertificateSource(name, options)))).flat();
    const now = new Date();
    const shown = sources.map((s) => ({ source: s.name, certificates: s.certificates.map((c) => certificateView(c, now)) }));
    if (flags.output === 'pem' && !this.jsonEnabled()) {
      this.write(sources.flatMap((s) => s.certificates.map((c) => c.pem)).join(''));
      return shown;
    }
    return this.print(shown, flags.output, () => shown.map((s) => certificateText(s.source, s.certificates)).join('\n\n'));
  }
}
