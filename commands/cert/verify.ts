import * as Flags from '@oclif/core/flags';
import { argument } from '../../src/cli/argument.ts';
import { BaseCommand } from '../../src/cli/base-command.ts';
import * as flags from '../../src/cli/flags.ts';
import { EXIT, FairleadError } from '../../src/errors.ts';

export interface CertVerified {
  source: string;
  /** What the leaf is called. */
  certificate: string;
  valid: boolean;
  /** Names from the leaf up. */
  path: readonly string[];
  faults: readonly { code: string; certificate: string; message: string }[];
}

export default class CertVerify extends BaseCommand {
  static override summary = 'Verify a certificate against trusted roots: every fault is named, and whose it is.';
  static override description = [
    'The chain is built from what came with the certificate, --chain and the roots; time, signatures, authority, path length, name constraints, usage, key strength and names are checked.',
    'Exit code 1 when it is not valid.',
  ].join(' ');
  static override examples = [
    '<%= config.bin %> cert verify web.pem --ca root.pem --name spiffe://cluster.local/ns/default/sa/web',
    '<%= config.bin %> cert verify shop.example.com:443 --ca roots.pem --purpose server --name shop.example.com',
  ];
  static override args = { source: { ...argument('SOURCE', 'a file, - or HOST:PORT'), required: true } };
  static override flags = {
    ca: Flags.string({
      helpValue: 'PATH',
      description: 'trusted roots; may be given again',
      required: true,
      multiple: true,
      multipleNonGreedy: true,
    }),
    chain: Flags.string({ helpValue: 'PATH', description: 'intermediates; may be given again', multiple: true, multipleNonGreedy: true }),
    name: Flags.string({ helpValue: 'NAME', description: 'what it must be for: a SPIFFE ID, a host, an address' }),
    purpose: flags.oneOf('purpose', ['svid', 'server', 'client'], 'what it must be good for'),
    at: Flags.string({ helpValue: 'TIME', description: 'when, as 2026-12-24 or 2026-12-24T18:00:00Z [default: now]' }),
    sni: Flags.string({ helpValue: 'NAME', description: 'server name to ask a port for [default: --name, else the host]' }),
    output: flags.output('text', 'json', 'yaml'),
  };

  async run(): Promise<CertVerified> {
    const { args, flags } = await this.parse(CertVerify);
    const at = flags.at === undefined ? new Date() : new Date(flags.at);
    if (Number.isNaN(at.getTime()))
      throw new FairleadError('E_USAGE', `--at ${JSON.stringify(flags.at)} is not a time`, {
        next: 'Write 2026-12-24 or 2026-12-24T18:00:00Z.',
      });
    const [{ readCertificateSource }, { verifyChain }, { certificateName }] = await Promise.all([
      import('../../src/cli/certificate-source.ts'),
      import('../../src/pki/verify.ts'),
      import('../../src/output/certificates/certificate-view.ts'),
    ]);
    const sni = flags.sni ?? (flags.name?.includes('/') ? undefined : flags.name);
    const options = { sni, passphrase: process.env['FAIRLEAD_PASSPHRASE'], timeoutMs: 10_000 };
    const read = async (names: readonly string[]) => (await Promise.all(names.map((name) => readCertificateSource(name, options)))).flat();
    const [[source], roots, chain] = await Promise.all([read([args.source as string]), read(flags.ca), read(flags.chain ?? [])]);
    const [leaf, ...others] = source!.certificates;
    const { path, faults } = verifyChain(
      leaf!,
      [...others, ...chain.flatMap((s) => s.certificates)],
      roots.flatMap((s) => s.certificates),
      {
        at,
        ...(flags.purpose ? { purpose: flags.purpose as 'svid' | 'server' | 'client' } : {}),
        ...(flags.name ? { name: flags.name } : {}),
      },
    );
    if (faults.length > 0) process.exitCode = EXIT.findings;
    const result: CertVerified = {
      source: source!.name,
      certificate: certificateName(leaf!),
      valid: faults.length === 0,
      path: path.map(certificateName),
      faults: faults.map(({ code, message, certificate }) => ({ code, certificate: certificateName(certificate), message })),
    };
    return this.print(result, flags.output, textOf);
  }
}

function textOf({ source, certificate, valid, path, faults }: CertVerified): string {
  const way = path.map((name, depth) => `${'  '.repeat(depth)}${depth === 0 ? '' : 'issued by '}${name}`).join('\n');
  if (valid) return `${source}: ${certificate} is valid\n\n${way}`;
  const lines = faults.map((fault) => `  ${fault.code.padEnd(17)} ${fault.certificate}: ${fault.message}`);
  return `${source}: ${certificate} is NOT valid\n${lines.join('\n')}\n\n${way}`;
}
