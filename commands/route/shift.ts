import * as Flags from '@oclif/core/flags';
import { connect } from '../../agent/connect.ts';
import { processIdentity } from '../../agent/process-identity.ts';
import { listenToSignals } from '../../agent/signals.ts';
import { argument } from '../../src/cli/argument.ts';
import { type ClusterFlags, clusterFlags } from '../../src/cli/cluster-flags.ts';
import * as flags from '../../src/cli/flags.ts';
import type { ClusterStore } from '../../src/cli/route-cluster.ts';
import { editFlags, RouteCommand } from '../../src/cli/route-command.ts';
import type { ShiftAgent, ShiftRoute, ShiftTarget } from '../../src/cli/shift-steering.ts';
import { span } from '../../src/cli/within.ts';
import type { Share } from '../../src/edit/routes/split.ts';
import { EXIT, FairleadError } from '../../src/errors.ts';
import type { ShiftEvent, ShiftResult } from '../../src/shift/shift.ts';

/** As `-o json` gives it, at the end. */
export type ShiftOutcome = ShiftResult & { service: string; to: string; before: string; after: string };

/** Of an agent's API in a pod. */
const AGENT_PORT = 15_000;

export default class RouteShift extends RouteCommand {
  static override summary =
    'Move traffic to a version step by step, watched by the running agent’s own requests; back at once when a gate breaks.';
  static override description =
    `Each step is written to the file that holds the route, or with -k into the cluster, and watched once every proxy has it. A gate is asked as soon as there are enough requests.
When one breaks, on Ctrl-C, and when the agent goes away, the split from before is put back and the exit code is 1. After a crash the same command goes on where it was.
Failures are answers of 500 and above, gRPC's own failures, and answers that never came.`;
  static override examples = [
    "<%= config.bin %> route shift catalog --to v2 --steps 5,25,50,100 --every 30s --gate 'errors<1%' --gate 'p99<300ms'",
    '<%= config.bin %> route shift reviews --to v3 --steps 10,100 --every 2m --route default',
  ];
  static override args = { service: { ...argument('SERVICE', 'whose requests'), required: true } };
  static override flags = {
    config: flags.config,
    ...clusterFlags,
    kubernetes: editFlags.kubernetes,
    namespace: flags.namespace,
    agent: {
      ...flags.agent,
      helpValue: 'URL|POD',
      description: `${flags.agent.description}; with -k it must be named, and may be a pod: POD[.NAMESPACE] or deployment/NAME[.NAMESPACE]`,
    },
    route: Flags.string({
      char: 'r',
      helpValue: 'NAME|NUMBER',
      description: 'which route [default: the only one, or the one that takes every request]',
    }),
    gateway: Flags.string({ helpValue: 'NAMESPACE/NAME|mesh', description: 'only of the VirtualService for this gateway' }),
    to: Flags.string({ helpValue: 'SUBSET', description: 'who gets the traffic', required: true }),
    steps: Flags.string({ helpValue: 'PERCENT,…', description: 'the shares, one after the other', default: '5,25,50,100' }),
    every: span('every', 'how long each step is watched', '30s'),
    gate: Flags.string({
      helpValue: 'GATE',
      description: "what must hold: 'errors<1%', 'p99<300ms'; may be given again",
      multiple: true,
      multipleNonGreedy: true,
    }),
    'min-requests': Flags.integer({ helpValue: 'N', min: 1, description: 'requests that a gate needs to judge', default: 20 }),
    patience: span('patience', 'how much longer a step waits for these requests', '10m'),
    output: flags.output('text', 'json'),
    quiet: flags.quiet,
  };

  async run(): Promise<ShiftOutcome> {
    const { args, flags } = await this.parse(RouteShift);
    const [{ parseGate }, { sharesAt, asPercent }, { isForeign, shift }, { journalOf }, { startOf }, steering] = await Promise.all([
      import('../../src/shift/gates.ts'),
      import('../../src/shift/shares.ts'),
      import('../../src/shift/shift.ts'),
      import('../../src/shift/journal.ts'),
      import('../../src/shift/resume.ts'),
      import('../../src/cli/shift-steering.ts'),
    ]);
    const steps = parseSteps(flags.steps);
    const gates = (flags.gate ?? []).map(parseGate);
    const service = args.service as string;
    if (flags.kubernetes && flags.agent === undefined)
      throw new FairleadError(
        'E_USAGE',
        'which requests are to be watched? A cluster has many agents, and none of them sees all requests',
        {
          next: 'Name one with --agent that reads this cluster and whose proxies call the service, as that of an ingress gateway: --agent deployment/NAME.NAMESPACE.',
        },
      );
    const namespace = flags.namespace;
    const target = { service, namespace, route: flags.route, gateway: flags.gateway };
    const place = await this.#open(target, flags);
    const { found } = place;
    const { entry, host } = found;
    await this.#checkSubset(found.mesh, service, flags.to, namespace);
    const agent = await this.#connect(flags);
    if (flags.kubernetes) await steering.requireClusterAgent(agent);
    await steering.syncAgent(agent, 30_000, place.seen());

    const routeName = entry.route.name ?? `#${entry.number}`;
    const journal = journalOf(place.key, host, routeName);
    const left = journal.read();
    const identity = left && processIdentity(left.process.pid);
    if (left && identity !== undefined && identity === left.process.identity)
      throw new FairleadError('E_USAGE', `another shift of this route is under way (process ${left.process.pid}), at ${left.percent} %`, {
        next: 'Wait for it, or end it with Ctrl-C: it goes back then.',
      });
    const to = { host: undefined, subset: flags.to };
    const start = startOf(left, flags.to, { shares: found.shares, destinations: entry.route.route ?? [] }, steps);
    const { before, destinations, startedAt, reached } = start;
    if (start.steps.length === 0)
      throw new FairleadError('E_USAGE', `--steps ${flags.steps} ends before ${reached} %, which the shift that was cut off had reached`, {
        next: `Name a step from ${reached} % on, or put the split back with \`fairlead route split\`.`,
      });
    let current: readonly Share[] = found.shares;
    let previous = reached;
    const say = this.#sayer(flags.quiet || flags.output === 'json' || this.jsonEnabled());
    if (reached !== undefined)
      process.stderr.write(`going on with the shift of ${new Date(startedAt).toISOString()}, which ended at ${reached} %\n`);

    const signals = listenToSignals(['SIGINT', 'SIGTERM']);
    const abort = new AbortController();
    let lost: string | undefined;
    signals.abort.addEventListener('abort', () => abort.abort());
    const own = { pid: process.pid, identity: processIdentity(process.pid) };
    try {
      const result = await shift(
        { steps: start.steps, everyMs: flags.every, gates, minRequests: flags['min-requests'], patienceMs: flags.patience },
        {
          async set(percent) {
            const next = sharesAt(asPercent(before), to, percent);
            const began = performance.now();
            // Before the file: whoever comes after a crash between the two finds the step before this one in it.
            journal.write({ host, route: routeName, before, destinations, to: flags.to, percent, previous, process: own, startedAt });
            await place.write(next);
            current = next;
            previous = percent;
            return { proxies: await steering.syncAgent(agent, 30_000, place.seen()), tookMs: performance.now() - began };
          },
          async restore() {
            await place.restore(destinations);
            current = [...before];
            journal.remove();
            // The agent may be what went away: it reads the file when it is back.
            if (lost === undefined) await steering.syncAgent(agent, 30_000, place.seen());
          },
          watch: (sample) =>
            steering.watchRequests(agent, { host, subset: flags.to }, sample, (why) => {
              lost = why;
              abort.abort();
            }),
          signal: abort.signal,
          say,
        },
      );
      journal.remove();
      const outcome: ShiftOutcome = {
        ...result,
        service: host,
        to: flags.to,
        before: steering.formatShares(before),
        after: steering.formatShares(current),
      };
      if (!result.done) process.exitCode = EXIT.findings;
      if (!result.done && lost !== undefined) Object.assign(outcome, { reason: `the agent went away: ${lost}` });
      return await this.print(outcome, flags.output, ended);
    } catch (error) {
      // What somebody else wrote meanwhile is nothing to go on with.
      if (isForeign(error)) journal.remove();
      throw error;
    } finally {
      signals.close();
    }
  }

  /** Throws E_AGENT_UNREACHABLE, and for pods E_POD_* and E_CLUSTER_*. */
  async #connect(flags: { agent?: string | undefined; namespace: string } & ClusterFlags): Promise<ShiftAgent> {
    const { agent, kubernetes, namespace, context } = flags;
    if (!kubernetes || agent === undefined || /^unix:|:\/\//.test(agent)) return connect(agent);
    const { forwardedAgent } = await import('../../agent/forwarded-agent.ts');
    const forwarded = await forwardedAgent({ pod: agent, namespace, context, port: AGENT_PORT });
    this.#forwarded = forwarded;
    return forwarded;
  }

  #forwarded: { close(): Promise<void> } | undefined;

  protected override async finally(error: Error | undefined): Promise<void> {
    await this.#forwarded?.close();
    await super.finally(error);
  }

  async #open(target: ShiftTarget, flags: { config?: string[] | undefined; namespace: string } & ClusterFlags): Promise<ShiftRoute> {
    const store = await this.openStore(flags);
    if (flags.kubernetes) {
      const { shiftInCluster } = await import('../../src/cli/shift-cluster.ts');
      return shiftInCluster(target, store as ClusterStore, (text) => process.stderr.write(`warning: ${text}\n`));
    }
    const { shiftInFiles } = await import('../../src/cli/shift-files.ts');
    return shiftInFiles(target, { paths: this.configPaths(flags.config), load: () => store.load() });
  }

  /** Refuses a destination that has no endpoints before anything is written. */
  async #checkSubset(
    mesh: Parameters<typeof import('../../src/edit/routes/split.ts').ruleOf>[0],
    service: string,
    subset: string,
    namespace: string,
  ): Promise<void> {
    const [{ ruleOf }, { findHost }] = await Promise.all([
      import('../../src/edit/routes/split.ts'),
      import('../../src/edit/routes/service-host.ts'),
    ]);
    const subsets = ruleOf(mesh, findHost(mesh, service, namespace))?.spec.subsets ?? [];
    if (subsets.some((s) => s.name === subset)) return;
    throw new FairleadError('E_SUBSET_UNKNOWN', `${service} has no subset ${subset}`, {
      next:
        subsets.length > 0
          ? `It has: ${subsets.map((s) => s.name).join(', ')}.`
          : `\`fairlead route split ${service} …\` makes subsets of running versions.`,
    });
  }

  /** On a terminal the step that is watched is one line that changes; elsewhere each event is a line. */
  #sayer(quiet: boolean): (event: ShiftEvent) => void {
    const live = Boolean(process.stderr.isTTY);
    return (event) => {
      if (quiet) return;
      const line = lineOf(event);
      if (event.kind === 'watching') {
        if (live) process.stderr.write(`\r\u001b[2K${line}`);
      } else process.stderr.write(`${live ? '\r\u001b[2K' : ''}${line}\n`);
    };
  }
}

function parseSteps(text: string): number[] {
  const steps = text.split(',').map((part) => Number(part.trim().replace(/%$/, '')));
  const growing = steps.every((step, i) => Number.isInteger(step) && step > (steps[i - 1] ?? 0) && step <= 100);
  if (growing) return steps;
  throw new FairleadError('E_USAGE', `--steps ${JSON.stringify(text)} is not a list of growing shares`, {
    next: 'Write whole percent from 1 to 100, as 5,25,50,100.',
  });
}

function lineOf(event: ShiftEvent): string {
  if (event.kind === 'restored') return 'went back: every proxy has the split from before';
  const at = `${event.percent} %`.padEnd(6);
  if (event.kind === 'applied')
    return `${at} applied on ${event.proxies} ${event.proxies === 1 ? 'proxy' : 'proxies'} in ${Math.round(event.tookMs)} ms`;
  const measured = event.readings.map(
    ({ gate, shown }) => `${gate.measure.kind === 'errors' ? 'errors' : `p${gate.measure.percentile * 100}`} ${shown}`,
  );
  const facts = [`${event.requests} requests`, ...measured].join(', ');
  if (event.kind === 'watching') return `${at} ${facts}, ${Math.ceil(event.leftMs / 1000)} s left`;
  if (event.kind === 'broken') return `${at} ${facts}: ${event.reason}`;
  return `${at} ${facts}: passed`;
}

function ended(outcome: ShiftOutcome): string {
  if (outcome.done) return `${outcome.service}: ${outcome.before} -> ${outcome.after}`;
  return `${outcome.service}: went back to ${outcome.before} from ${outcome.percent} %: ${outcome.reason}`;
}
