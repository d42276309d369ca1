import * as Flags from '@oclif/core/flags';
import { connect } from '../../agent/connect.ts';
import * as flags from '../../src/cli/flags.ts';
import { livePod, liveProxyFlags } from '../../src/cli/live-proxy.ts';
import { ProxyConfigCommand } from '../../src/cli/proxy-config-command.ts';
import { adminPath, proxyArgs } from '../../src/cli/proxy-source.ts';
import { type ProxyStat, parseStats, statsText } from '../../src/output/proxy-config/stats.ts';

export default class ProxyConfigStats extends ProxyConfigCommand {
  static override aliases = ['pc:stats', 'x:envoy-stats', 'x:es'];
  static override summary = 'Show the stats of a live proxy, as istioctl x envoy-stats does.';
  static override examples = [
    '<%= config.bin %> proxy-config stats web --filter upstream_rq',
    '<%= config.bin %> pc stats -k deployment/web.shop --filter "^cluster\\.outbound" --used',
    '<%= config.bin %> pc stats -k web-6f7d9.shop -o prom',
  ];
  static override args = proxyArgs;
  static override flags = {
    ...liveProxyFlags,
    filter: Flags.string({ helpValue: 'REGEX', description: 'only stats whose name has this somewhere in it: RE2' }),
    used: Flags.boolean({ description: 'only stats that have counted something' }),
    output: flags.output('short', 'prom', 'json', 'yaml'),
  };

  async run(): Promise<ProxyStat[] | string> {
    const { args, flags } = await this.parse(ProxyConfigStats);
    const pod = livePod(args.proxy, flags, 'stats');
    const client = await connect(pod ?? flags.agent);
    const query = new URLSearchParams({ ...(flags.used ? { usedonly: '' } : {}), ...(flags.filter ? { filter: flags.filter } : {}) });
    const ask = async (path: string): Promise<string> => {
      const at = adminPath(pod === undefined ? (flags.proxy ?? args.proxy) : undefined, path);
      return (await client.get(`${at}${query.size === 0 ? '' : `?${query}`}`)).body.toString('utf8');
    };
    if (flags.output === 'prom') return this.print(await ask('/stats/prometheus'), undefined, (text) => text);
    return this.print(parseStats(await ask('/stats')), flags.output, statsText);
  }
}
