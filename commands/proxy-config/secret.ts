import type { SecretsConfigDumpJson } from '#envoy-api/envoy/admin/v3/config_dump_pb.js';
import { connect } from '../../agent/connect.ts';
import * as flags from '../../src/cli/flags.ts';
import { ProxyConfigCommand } from '../../src/cli/proxy-config-command.ts';
import { proxyArgs, proxyFlags } from '../../src/cli/proxy-source.ts';
import { formatTable } from '../../src/output/table.ts';

export default class ProxyConfigSecret extends ProxyConfigCommand {
  static override aliases = ['proxy-config:s', 'pc:secret', 'pc:s'];
  static override summary = 'Show a proxy’s certificates and trusted roots: state, serial number and validity.';
  static override description =
    'Of a live proxy or a dump: a configuration that is computed with -f has no secrets. Private keys are redacted in every form.';
  static override examples = [
    '<%= config.bin %> proxy-config secret web',
    '<%= config.bin %> pc secret --file config_dump.json -o json',
    '<%= config.bin %> pc secret -k deployment/web -n shop',
  ];
  static override args = proxyArgs;
  static override flags = { ...proxyFlags, output: flags.output('short', 'json', 'yaml') };

  async run(): Promise<SecretsConfigDumpJson> {
    const { args, flags } = await this.parse(ProxyConfigSecret);
    const source = await this.open(flags, args, connect);
    const [dump, { section }, { NO_SECRETS, secretRows, secretTable }] = await Promise.all([
      source.dump(),
      import('../../src/envoy/dump/read-dump.ts'),
      import('../../src/output/proxy-config/secret.ts'),
    ]);
    const secrets = section(dump, 'secrets');
    return this.print(secrets, flags.output, () => {
      const rows = secretRows(secrets, new Date());
      return rows.length === 0 ? NO_SECRETS : formatTable(secretTable(rows));
    });
  }
}
