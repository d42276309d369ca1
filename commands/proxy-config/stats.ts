import * as Flags from '@oclif/core/flags';
import { connect } from '../../agent/connect.ts';
import { clusterFlags } from '../../src/cli/cluster-flags.ts';
import * as flags from '../../src/cli/flags.ts';
import { ProxyConfigCommand } from '../../src/cli/proxy-config-command.ts';
import { adminPath, podOfArgument, proxyArgs } from '../../src/cli/proxy-source.ts';
import { podChoice, remoteFlags } from '../../src/cli/remote-flags.ts';
import { FairleadError } from '../../src/errors.ts';
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
    agent: flags.agent,
    kubernetes: {
      ...clusterFlags.kubernetes,
      description: 'the proxy of a pod of the kubeconfig’s cluster',
      exclusive: ['agent', 'proxy'],
    },
    context: clusterFlags.context,
    namespace: { ...flags.namespace, description: 'namespace of a pod that names none [default: the context’s]' },
    proxy: Flags.string({ helpValue: 'NAME[.NAMESPACE]', description: 'the proxy, in place of the argument' }),
    filter: Flags.string({ helpValue: 'REGEX', description: 'only stats whose name has this somewhere in it: RE2' }),
    used: Flags.boolean({ description: 'only stats that have counted something' }),
    output: flags.output('short', 'prom', 'json', 'yaml'),
    ...remoteFlags,
  };

  async run(): Promise<ProxyStat[] | string> {
    const { args, flags } = await this.parse(ProxyConfigStats);
    if (flags.kubernetes && args.proxy === undefined)
      throw new FairleadError('E_USAGE', 'say which pod’s proxy is meant: stats are of what runs', {
        next: 'Write -k POD[.NAMESPACE], or -k deployment/NAME[.NAMESPACE].',
      });
    const pod = podOfArgument(args.proxy, flags);
    const client = await connect(pod === undefined ? flags.agent : podChoice(pod, flags));
    const query = new URLSearchParams({ ...(flags.used ? { usedonly: '' } : {}), ...(flags.filter ? { filter: flags.filter } : {}) });
    const ask = async (path: string): Promise<string> => {
      const at = adminPath(pod === undefined ? (flags.proxy ?? args.proxy) : undefined, path);
      return (await client.get(`${at}${query.size === 0 ? '' : `?${query}`}`)).body.toString('utf8');
    };
    if (flags.output === 'prom') return this.print(await ask('/stats/prometheus'), undefined, (text) => text);
    return this.print(parseStats(await ask('/stats')), flags.output, statsText);
  }
}
