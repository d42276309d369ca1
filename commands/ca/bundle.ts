import { defaultCaDirectory } from '../../agent/ca-directory.ts';
import { BaseCommand } from '../../src/cli/base-command.ts';
import { caDir } from '../../src/cli/ca-flags.ts';
import * as flags from '../../src/cli/flags.ts';

export default class CaBundle extends BaseCommand {
  static override summary = 'Print the trust bundle: every root that peers must trust, as PEM or as SPIFFE’s JWKS.';
  static override examples = ['<%= config.bin %> ca bundle > roots.pem', '<%= config.bin %> ca bundle -o jwks'];
  static override flags = { 'ca-dir': caDir, output: flags.output('pem', 'jwks') };

  async run(): Promise<object> {
    const { flags } = await this.parse(CaBundle);
    const [{ bundleOf, readState }, { bundleToJwks, bundleToPem }] = await Promise.all([
      import('../../agent/ca.ts'),
      import('../../src/pki/trust-bundle.ts'),
    ]);
    const bundle = bundleOf(readState(flags['ca-dir'] ?? defaultCaDirectory()));
    const jwks = bundleToJwks(bundle);
    if (!this.jsonEnabled()) this.write(flags.output === 'jwks' ? `${JSON.stringify(jwks, null, 2)}\n` : bundleToPem(bundle));
    return jwks;
  }
}
