import { defaultCaDirectory } from '../../agent/ca-directory.ts';
import { argument } from '../../src/cli/argument.ts';
import { BaseCommand } from '../../src/cli/base-command.ts';
import { caDir } from '../../src/cli/ca-flags.ts';
import * as flags from '../../src/cli/flags.ts';
import { span } from '../../src/cli/within.ts';

export default class CaToken extends BaseCommand {
  static override summary = 'Make a join token: it gets one certificate for one identity, once, and soon expires.';
  static override examples = ['<%= config.bin %> ca token spiffe://cluster.local/fairlead/node/vm-1 --ttl 10m'];
  static override args = { identity: { ...argument('IDENTITY', 'a SPIFFE ID, or NAMESPACE/SERVICE-ACCOUNT'), required: true } };
  static override flags = {
    'ca-dir': caDir,
    ttl: span('ttl', 'how long it can be used', '1h'),
    output: flags.output('text', 'json', 'yaml'),
  };

  async run(): Promise<{ token: string; identity: string; expires: string }> {
    const { args, flags } = await this.parse(CaToken);
    const { createToken } = await import('../../agent/ca.ts');
    const made = await createToken(flags['ca-dir'] ?? defaultCaDirectory(), args.identity as string, flags.ttl);
    return this.print(made, flags.output, ({ token }) => token);
  }
}
