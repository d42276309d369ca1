import * as Flags from '@oclif/core/flags';
import { connect } from '../agent/connect.ts';
import { argument } from '../src/cli/argument.ts';
import { BaseCommand } from '../src/cli/base-command.ts';
import { clusterSource, clustersFlags } from '../src/cli/cluster-flags.ts';
import type { ExplainResult } from '../src/cli/explain-question.ts';
import * as flags from '../src/cli/flags.ts';
import { remoteFlags } from '../src/cli/remote-flags.ts';

export default class Explain extends BaseCommand {
  static override summary =
    'Ask what happens to a request, before it is sent: every decision, the line that made it, and what almost matched.';
  static override description =
    `Reads the very Envoy config that a proxy runs: computed from files (-f) or a cluster (-k), of a running agent (--agent), of the proxy in a pod (-k --pod), or any Envoy's
config dump (--file), Istio's own included. Without --from the request comes from a client without a workload of its own, or from outside when only a gateway knows the host. Exit code 0 when
there is an answer, whatever the answer is; \`fairlead test\` is for expectations.`;
  static override usage = ['explain [METHOD] URL', 'explain tcp HOST PORT', 'explain --all [--gateway NAME]'];
  static override examples = [
    '<%= config.bin %> explain http://reviews:9080/reviews/1 --from productpage',
    "<%= config.bin %> explain POST https://shop.example.com/orders -H 'content-type: application/json'",
    '<%= config.bin %> explain http://catalog/ --times 1000',
    '<%= config.bin %> explain http://payments/ --from web --jwt-claims \'{"groups": ["admin"]}\'',
    '<%= config.bin %> explain http://reviews:9080/ --file config_dump.json',
    '<%= config.bin %> explain tcp mysql.db 3306 -f mesh/',
    '<%= config.bin %> explain --all --gateway shop',
    '<%= config.bin %> explain -k http://reviews.shop:9080/ --from web.shop',
    '<%= config.bin %> explain -k --pod deployment/web.shop http://reviews.shop:9080/',
  ];
  static override args = {
    what: argument('METHOD', 'the method [default: GET], or tcp'),
    target: argument('URL', 'what is asked for, or the host of a connection'),
    port: argument('PORT', 'the port of a connection'),
  };
  static override flags = {
    config: Flags.string({
      char: 'f',
      multiple: true,
      helpValue: 'PATH',
      description:
        'files or folders to compute the config from, - for standard input; beside --file or --agent: where its lines are found [default: ./mesh when it exists]',
    }),
    ...clustersFlags,
    kubernetes: { ...clustersFlags.kubernetes, exclusive: ['agent', 'file'] },
    pod: Flags.string({
      helpValue: 'POD[.NAMESPACE]',
      description:
        'with -k: ask the proxy that runs in this pod, or in one of deployment/NAME[.NAMESPACE], in place of computing its config; Fairlead’s or Istio’s own',
      dependsOn: ['kubernetes'],
    }),
    namespace: flags.namespace,
    'mesh-config': Flags.string({ helpValue: 'FILE', description: 'a file with a MeshConfig, for computed config' }),
    agent: flags.agent,
    file: Flags.string({ helpValue: 'DUMP', description: 'a saved config_dump (JSON), - for standard input', exclusive: ['agent'] }),
    header: Flags.string({ char: 'H', multiple: true, helpValue: "'NAME: VALUE'", description: 'a header of the request' }),
    from: Flags.string({ helpValue: 'WORKLOAD', description: 'who sends it: NAME[.NAMESPACE]', exclusive: ['gateway', 'to'] }),
    to: Flags.string({
      helpValue: 'WORKLOAD',
      description: 'explain it where it arrives, at this workload’s own proxy',
      exclusive: ['gateway', 'from'],
    }),
    gateway: Flags.string({ helpValue: 'NAME', description: 'it comes from outside, through this gateway' }),
    listener: Flags.string({ helpValue: 'NAME', description: 'the listener that takes it, by its name in Envoy’s config' }),
    'source-ip': Flags.string({ helpValue: 'IP', description: 'the client’s address [default: 127.0.0.1]' }),
    sni: Flags.string({ helpValue: 'NAME', description: 'the server name that TLS asks for [default: the URL’s host, when it is https]' }),
    http2: Flags.boolean({ description: 'HTTP/2 from the start, as gRPC' }),
    'jwt-claims': Flags.string({
      helpValue: 'JSON',
      description: 'the payload of a token that is taken as genuine; without iss it is of the first issuer that is asked for',
    }),
    identity: Flags.string({
      helpValue: 'ID',
      description: 'the certificate that the client shows when TLS asks for one: spiffe://…, NAMESPACE/ACCOUNT or a DNS name',
    }),
    tls: Flags.boolean({ description: 'mutual TLS as the mesh’s own proxies speak it, for --to and --listener' }),
    'ext-authz': Flags.string({
      options: ['allow', 'deny'],
      description: 'what external authorization answers [default: it is taken to allow, and that is said]',
    }),
    times: Flags.integer({ helpValue: 'N', min: 1, max: 1_000_000, description: 'throw the dice of splits and faults so often' }),
    seed: Flags.integer({ helpValue: 'N', description: 'for --times: the same numbers again [default: 1]', dependsOn: ['times'] }),
    all: Flags.boolean({
      description: 'list every host, port and path of the proxy, and where each leads',
      exclusive: ['times', 'header'],
    }),
    output: flags.output('text', 'json', 'yaml', 'dot', 'mermaid'),
    ...remoteFlags,
  };

  async run(): Promise<ExplainResult> {
    const { args, flags } = await this.parse(Explain);
    const { askExplain } = await import('../src/cli/explain-question.ts');
    const words = [args.what, args.target, args.port].filter((word) => word !== undefined);
    const answer = await askExplain(
      words,
      { ...flags, besides: flags.pod === undefined ? clusterSource(flags) : undefined },
      {
        connect: (pod) => connect(pod ?? flags.agent),
        warn: (text) => process.stderr.write(`warning: ${text}\n`),
        version: this.config.version,
      },
    );
    const { explainText } = await import('../src/output/explain/formats.ts');
    const canvas = { color: this.color, width: Math.max(40, process.stdout.columns ?? 100) };
    return this.print(answer.result, flags.output, () => explainText(answer, flags.output, canvas));
  }
}
