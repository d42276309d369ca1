import * as Flags from '@oclif/core/flags';
import { type NodeAgent, startAgent } from '../../agent/agent.ts';
import type { EngineChoice } from '../../agent/choose-engine.ts';
import { defaultDataDirectory } from '../../agent/data-directory.ts';
import { createLog, type LogLevel } from '../../agent/log.ts';
import { listenToSignals, Stopped } from '../../agent/signals.ts';
import { BaseCommand } from '../../src/cli/base-command.ts';
import { clusterName, clustersFlags } from '../../src/cli/cluster-flags.ts';
import { deadline, deadlineMs } from '../../src/cli/deadline.ts';
import * as flags from '../../src/cli/flags.ts';
import { identityFlags, identityOptions } from '../../src/cli/identity-flags.ts';
import { FairleadError } from '../../src/errors.ts';
import type { ApiClient } from '../../src/kubernetes/client.ts';
import { collectWhenIdle } from '../../src/memory/collect-when-idle.ts';

/** Istio's agent has it. */
const METRICS_PORT = 15020;

export default class AgentRun extends BaseCommand {
  static override enableJsonFlag = false;
  static override summary = 'Run this node’s agent: the proxy of its workloads and gateways, from a folder of configuration or a cluster.';
  static override description =
    `Logs to standard error. SIGTERM and SIGINT drain, then end the proxy too; SIGUSR2 ends the agent alone, and the
next agent takes the running proxy over; SIGHUP reads the configuration now. Each
of these ends is exit code 0, however early it comes. When the agent is killed the proxy goes on serving.`;
  static override examples = [
    '<%= config.bin %> agent run -f /etc/fairlead/mesh',
    '<%= config.bin %> agent run -f mesh --log-format json',
    '<%= config.bin %> agent run -k',
    '<%= config.bin %> agent run -k --pod-socket /var/run/fairlead/agent/pods.sock --ca kubernetes --ca-roots roots.pem',
    '<%= config.bin %> agent run --node-agent unix:/var/run/fairlead/agent/pods.sock --node-agent-token-file /var/run/secrets/fairlead/agent-token',
  ];
  static override flags = {
    config: flags.config,
    ...clustersFlags,
    pods: Flags.string({
      helpValue: 'node|own',
      options: ['node', 'own'],
      default: 'node',
      description: 'which pods of a cluster are served: those of this node (NODE_NAME, else the host’s name), or the one that this runs in',
    }),
    'pod-socket': Flags.string({
      helpValue: 'PATH',
      description: 'run no proxy here: serve the pods of this node on this Unix socket, each with what its own proxy is to have',
      dependsOn: ['kubernetes'],
    }),
    'pod-token-audience': Flags.string({
      helpValue: 'NAME',
      default: 'fairlead-agent',
      description: 'what the tokens must be meant for that pods show there',
    }),
    'node-agent': Flags.string({
      helpValue: 'unix:PATH',
      description:
        'inside a pod: run its proxy with what the agent of the node says on this socket; no configuration, CA or API server is asked',
      exclusive: ['config', 'kubernetes', 'mesh-config', 'ca', 'ca-dir', 'cert-ttl', 'pod-socket', 'write-status', 'allow-unenforced'],
      dependsOn: ['node-agent-token-file'],
    }),
    'node-agent-token-file': Flags.string({
      helpValue: 'FILE',
      description: 'the pod’s projected service account token for that; read anew at each connection',
      dependsOn: ['node-agent'],
    }),
    'write-status': Flags.boolean({
      description: 'report what the proxies take, and write the status of the cluster’s objects when it is this agent’s turn',
      dependsOn: ['kubernetes'],
    }),
    namespace: flags.namespace,
    'mesh-config': Flags.string({ helpValue: 'FILE', description: 'MeshConfig, as in Istio’s ConfigMap key mesh' }),
    data: Flags.string({ helpValue: 'DIR', description: 'data directory', env: 'FAIRLEAD_DATA' }),
    engine: flags.engine,
    ...identityFlags,
    'api-port': Flags.integer({
      helpValue: 'PORT',
      description: 'port of the agent’s API on loopback; 0 takes a free one',
      default: 15000,
      min: 0,
      max: 65535,
    }),
    'metrics-port': Flags.integer({
      helpValue: 'PORT',
      description: 'port of /stats/prometheus and /healthz/ready; 0 takes a free one [default: 15020, unless it is taken]',
      min: 0,
      max: 65535,
    }),
    'metrics-host': Flags.string({ helpValue: 'ADDRESS', description: 'address of that port [default: all, of IPv4 and IPv6]' }),
    'allow-unenforced': Flags.boolean({
      description: 'run although some policies cannot be enforced here: those are left out, and reported',
    }),
    'log-format': Flags.string({ options: ['text', 'json'], default: 'text', description: 'form of the log' }),
    'log-level': Flags.string({
      options: ['debug', 'info', 'warning', 'error'],
      default: 'info',
      description: 'least severity that is logged',
    }),
    deadline,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(AgentRun);
    const log = createLog(flags['log-format'] as 'text' | 'json', flags['log-level'] as LogLevel, (line) => process.stderr.write(line));
    const deadline = deadlineMs(flags.deadline);
    const nodeAgent =
      flags['node-agent'] === undefined ? undefined : nodeAgentOf(flags['node-agent'], flags['node-agent-token-file'] as string);
    if (flags['pod-socket'] !== undefined && flags.pods === 'own')
      throw new FairleadError('E_USAGE', '--pod-socket serves the pods of a node, --pods own is for one pod', {
        next: 'Leave --pods out.',
      });
    const live = flags.kubernetes ? await (await import('../../agent/live-source.ts')).kubernetesSource(clusterName(flags)) : undefined;
    const paths = nodeAgent ? [] : this.configPaths(flags.config, live?.source);
    if (paths.includes('-')) throw new FairleadError('E_USAGE', 'standard input cannot be watched', { next: 'Name a file or a folder.' });
    const asksCluster = flags['pod-socket'] !== undefined || flags.ca === 'kubernetes';
    const cluster = asksCluster ? await apiClientOf(clusterName(flags).context) : undefined;
    const identity = await identityOptions(flags, cluster);
    const signals = listenToSignals(['SIGTERM', 'SIGINT', 'SIGUSR2']);
    const stopCollecting = collectWhenIdle();
    try {
      const agent = await startAgent({
        paths,
        live,
        pods: flags.pods as 'node' | 'own',
        ...(flags['pod-socket'] && cluster
          ? { podSocket: { path: flags['pod-socket'], audience: flags['pod-token-audience'], cluster } }
          : {}),
        nodeAgent,
        ...(flags['write-status'] && {
          writeStatus: { context: clusterName(flags).context, namespace: flags['istio-namespace'] ?? 'istio-system' },
        }),
        namespace: flags.namespace,
        ...(flags['mesh-config'] ? { meshConfig: flags['mesh-config'] } : {}),
        dataDirectory: flags.data ?? defaultDataDirectory(),
        engine: flags.engine as EngineChoice,
        ...identity,
        apiPort: flags['api-port'],
        metrics: {
          host: flags['metrics-host'] ?? '',
          port: flags['metrics-port'] ?? METRICS_PORT,
          required: flags['metrics-port'] !== undefined,
        },
        allowUnenforced: flags['allow-unenforced'],
        restoreLastGood: true,
        orphanSeconds: undefined,
        version: this.config.version,
        log,
        abort: signals.abort,
      });
      // As daemons do: read the configuration now.
      process.on('SIGHUP', () => void agent.controller.sync());
      const [{ logAgentEvents }, { logRefusals }] = await Promise.all([
        import('../../agent/log-events.ts'),
        import('../../agent/log-refusals.ts'),
      ]);
      logAgentEvents(agent, log);
      logRefusals(agent, log);
      const { engine, engineVersion } = agent.engine.status();
      log.info('engine', { engine, version: engineVersion, why: agent.chosen.why });
      log.info('the agent runs', {
        api: agent.api.url ?? agent.api.socket,
        socket: agent.api.socket,
        ...(agent.api.metricsUrl && { metrics: agent.api.metricsUrl }),
      });
      const signal = await Promise.race([signals.first, agent.ended]);
      log.info('the agent ends', { why: signal ?? 'asked over the API' });
      signals.onSecond(() => void agent.stop(0));
      if (signal === 'SIGUSR2') await agent.detach();
      else await agent.stop(deadline);
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      log.info('the agent ends before it ran', { why: error.signal });
    } finally {
      stopCollecting();
      cluster?.close();
      signals.close();
    }
  }
}

/** A client of the API server that the kubeconfig names. Heavy: only where one is asked. */
async function apiClientOf(context: string | undefined): Promise<ApiClient> {
  const [{ createApiClient }, { openKubeConfig }] = await Promise.all([
    import('../../src/kubernetes/client.ts'),
    import('../../src/kubernetes/kube-config.ts'),
  ]);
  return createApiClient(openKubeConfig(context));
}

function nodeAgentOf(typed: string, tokenFile: string): NodeAgent {
  const [, socket] = /^unix:(?:\/\/)?(\/.+)$/.exec(typed) ?? [];
  if (socket === undefined)
    throw new FairleadError('E_USAGE', `--node-agent ${JSON.stringify(typed)} is not unix:PATH`, {
      next: 'Name it as unix:/var/run/fairlead/agent/pods.sock.',
    });
  return { socket, tokenFile };
}
