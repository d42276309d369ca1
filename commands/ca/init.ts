import * as Flags from '@oclif/core/flags';
import type { CaStatus } from '../../agent/ca.ts';
import { defaultCaDirectory } from '../../agent/ca-directory.ts';
import { BaseCommand } from '../../src/cli/base-command.ts';
import { caDir, passphraseFile, passphraseOf, stateSecret, trustDomain } from '../../src/cli/ca-flags.ts';
import * as flags from '../../src/cli/flags.ts';
import { span } from '../../src/cli/within.ts';
import type { KeyAlgorithm } from '../../src/pki/keys.ts';

export default class CaInit extends BaseCommand {
  static override summary = 'Make the mesh’s certificate authority: a self-signed root, and an intermediate that signs.';
  static override description = [
    'An existing authority is never overwritten. With a passphrase (--passphrase-file, or FAIRLEAD_PASSPHRASE) the private keys are encrypted.',
    'To keep your own root offline, begin with `ca intermediate` instead.',
  ].join(' ');
  static override examples = [
    '<%= config.bin %> ca init',
    '<%= config.bin %> ca init --trust-domain prod.example.com --algorithm ec-p384 --passphrase-file /run/secrets/ca',
  ];
  static override flags = {
    'ca-dir': caDir,
    'trust-domain': trustDomain,
    algorithm: flags.oneOf('algorithm', ['ec-p256', 'ec-p384', 'rsa-2048', 'rsa-3072', 'rsa-4096'], 'of its keys [default: ec-p256]'),
    'root-life': span('root-life', 'how long the root lives', '3650d'),
    'intermediate-life': span('intermediate-life', 'how long the intermediate lives', '365d'),
    'passphrase-file': passphraseFile,
    'if-missing': Flags.boolean({ description: 'when there is an authority already, leave it and be content' }),
    'state-secret': stateSecret,
    context: Flags.string({
      helpValue: 'NAME',
      description: 'the kubeconfig’s context of that cluster [default: its current one]',
      dependsOn: ['state-secret'],
    }),
    'roots-config-map': Flags.string({
      helpValue: '[NAMESPACE/]NAME',
      description: 'ConfigMap with the roots: while it has some, no second CA is made beside the one that they are of',
      dependsOn: ['state-secret'],
    }),
    'dry-run': Flags.boolean({ description: 'only say what would be made', exclusive: ['state-secret'] }),
    output: flags.output('text', 'json', 'yaml'),
  };

  async run(): Promise<CaStatus | { directory: string; trustDomain: string; dryRun: true }> {
    const { flags } = await this.parse(CaInit);
    const directory = flags['ca-dir'] ?? defaultCaDirectory();
    const passphrase = await passphraseOf(flags['passphrase-file']);
    const { checkInit, initCa, caStatus, hasCa } = await import('../../agent/ca.ts');
    const secret = flags['state-secret'];
    if (flags['if-missing'] && secret === undefined && hasCa(directory)) {
      const { caStatusText } = await import('../../src/output/ca/ca-status-text.ts');
      return this.print(caStatus(directory, new Date()), flags.output, caStatusText);
    }
    const options = {
      trustDomain: flags['trust-domain'],
      algorithm: (flags.algorithm ?? 'ec-p256') as KeyAlgorithm,
      rootLifeMs: flags['root-life'],
      intermediateLifeMs: flags['intermediate-life'],
    };
    const kept = passphrase === undefined ? 'not encrypted' : 'encrypted';
    if (flags['dry-run']) {
      checkInit(directory, options);
      const result = { directory, trustDomain: options.trustDomain, dryRun: true } as const;
      return this.print(
        result,
        flags.output,
        () => `would make a certificate authority for ${options.trustDomain} in ${directory}; keys ${options.algorithm}, ${kept}`,
      );
    }
    if (secret !== undefined) {
      const { initSharedCa } = await import('../../agent/ca-server.ts');
      const { context, 'roots-config-map': roots, 'if-missing': ifMissing } = flags;
      await initSharedCa(directory, { ...options, passphrase, context, stateSecret: secret, roots, ifMissing });
    } else await initCa(directory, { ...options, passphrase });
    const { caStatusText } = await import('../../src/output/ca/ca-status-text.ts');
    return this.print(caStatus(directory, new Date()), flags.output, (status) => `${caStatusText(status)}\nprivate keys: ${kept}, 0600`);
  }
}
