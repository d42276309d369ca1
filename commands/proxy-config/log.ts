import * as Flags from '@oclif/core/flags';
import { connect } from '../../agent/connect.ts';
import { BaseCommand } from '../../src/cli/base-command.ts';
import * as flags from '../../src/cli/flags.ts';
import { livePod, liveProxyFlags } from '../../src/cli/live-proxy.ts';
import { adminPath, proxyArgs } from '../../src/cli/proxy-source.ts';
import type { LogLevel } from '../../src/output/proxy-config/log-levels.ts';
import { levelQueries, logLevelsText, parseLogLevels } from '../../src/output/proxy-config/log-levels.ts';

export default class ProxyConfigLog extends BaseCommand {
  static override aliases = ['proxy-config:o', 'pc:log', 'pc:o'];
  static override summary = 'Show the log levels of a live proxy, or change them.';
  static override examples = [
    '<%= config.bin %> proxy-config log web',
    '<%= config.bin %> pc log web.default --level debug',
    '<%= config.bin %> pc log web.default --level http:debug,upstream:trace',
    '<%= config.bin %> pc log -k deployment/web.shop --level rbac:debug',
  ];
  static override args = proxyArgs;
  static override flags = {
    ...liveProxyFlags,
    level: Flags.string({
      helpValue: '[LOGGER:]LEVEL,…',
      description: 'levels to set: trace, debug, info, warning, error, critical or off; without a logger for all',
      exclusive: ['reset'],
    }),
    reset: Flags.boolean({ char: 'r', description: 'set all levels to warning, the default' }),
    output: flags.output('short', 'json', 'yaml'),
  };

  async run(): Promise<LogLevel[]> {
    const { args, flags } = await this.parse(ProxyConfigLog);
    const pod = livePod(args.proxy, flags, 'log levels');
    const wanted = flags.reset ? 'warning' : flags.level;
    const queries = wanted === undefined ? [''] : levelQueries(wanted);
    const client = await connect(pod ?? flags.agent);
    const path = adminPath(pod === undefined ? (flags.proxy ?? args.proxy) : undefined, '/logging');
    // Envoy tells the levels to POST only.
    let answer = '';
    for (const query of queries) answer = await client.postText(`${path}${query}`);
    const levels = parseLogLevels(answer);
    return this.print(levels, flags.output, logLevelsText);
  }
}
