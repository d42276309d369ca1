import * as Flags from '@oclif/core/flags';
import { connect } from '../../agent/connect.ts';
import { BaseCommand } from '../../src/cli/base-command.ts';
import { clusterFlags } from '../../src/cli/cluster-flags.ts';
import * as flags from '../../src/cli/flags.ts';
import { adminPath, podOfArgument, proxyArgs } from '../../src/cli/proxy-source.ts';
import { podChoice, remoteFlags } from '../../src/cli/remote-flags.ts';
import { FairleadError } from '../../src/errors.ts';
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
    agent: flags.agent,
    kubernetes: {
      ...clusterFlags.kubernetes,
      description: 'the proxy of a pod of the kubeconfig’s cluster',
      exclusive: ['agent', 'proxy'],
    },
    context: clusterFlags.context,
    namespace: { ...flags.namespace, description: 'namespace of a pod that names none [default: the context’s]' },
    proxy: Flags.string({ helpValue: 'NAME[.NAMESPACE]', description: 'the proxy, in place of the argument' }),
    level: Flags.string({
      helpValue: '[LOGGER:]LEVEL,…',
      description: 'levels to set: trace, debug, info, warning, error, critical or off; without a logger for all',
      exclusive: ['reset'],
    }),
    reset: Flags.boolean({ char: 'r', description: 'set all levels to warning, the default' }),
    output: flags.output('short', 'json', 'yaml'),
    ...remoteFlags,
  };

  async run(): Promise<LogLevel[]> {
    const { args, flags } = await this.parse(ProxyConfigLog);
    if (flags.kubernetes && args.proxy === undefined)
      throw new FairleadError('E_USAGE', 'say which pod’s proxy is meant: log levels are of what runs', {
        next: 'Write -k POD[.NAMESPACE], or -k deployment/NAME[.NAMESPACE].',
      });
    const pod = podOfArgument(args.proxy, flags);
    const wanted = flags.reset ? 'warning' : flags.level;
    const queries = wanted === undefined ? [''] : levelQueries(wanted);
    const client = await connect(pod === undefined ? flags.agent : podChoice(pod, flags));
    const path = adminPath(pod === undefined ? (flags.proxy ?? args.proxy) : undefined, '/logging');
    // Envoy tells the levels to POST only.
    let answer = '';
    for (const query of queries) answer = await client.postText(`${path}${query}`);
    const levels = parseLogLevels(answer);
    return this.print(levels, flags.output, logLevelsText);
  }
}
