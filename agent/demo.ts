/** `fairlead demo`: a small shop of real services, the mesh in front of it, and what the mesh does, counted. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { FairleadError } from '../src/errors.ts';
import { demoText } from '../src/output/demo.ts';
import { type Agent, startAgent } from './agent.ts';
import type { EngineChoice } from './choose-engine.ts';
import { type ActResult, type Stage, shown } from './demo/act.ts';
import { createActs } from './demo/acts.ts';
import { createCaller } from './demo/caller.ts';
import { createScreen } from './demo/screen.ts';
import { openShop, type Shop } from './demo/services.ts';
import { createLog } from './log.ts';
import { listenToSignals, type Signals, Stopped } from './signals.ts';

export interface DemoOptions {
  /** The folder with the shop's mesh. */
  mesh: string;
  seconds: number;
  engine: EngineChoice;
  /** Loopback port of the agent's API; 0 takes a free one. */
  apiPort: number;
  /** Leave it running until Ctrl-C. */
  keep: boolean;
  version: string;
  terminal: boolean;
  color: boolean;
  columns(): number;
  write(text: string): void;
}

export interface DemoResult {
  acts: ActResult[];
  interrupted: boolean;
  /** By which signal, when it was one. */
  signal?: NodeJS.Signals;
}

/** Runs the demo. Throws E_PORT_IN_USE, E_CONFIG_REFUSED; leaves nothing behind. */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const data = mkdtempSync(join(tmpdir(), 'fairlead-demo-'));
  const signals = listenToSignals(['SIGINT', 'SIGTERM', 'SIGHUP']);
  let agent: Agent | undefined;
  let shop: Shop | undefined;
  try {
    agent = await startMesh(options, data, signals.abort);
    shop = await openShop(agent.controller.mesh()?.workloads ?? [], agent.controller.proxies());
    return await perform(options, agent, shop, signals);
  } catch (error) {
    if (error instanceof Stopped) return { acts: [], interrupted: true, signal: error.signal };
    throw error;
  } finally {
    const stopping = agent?.stop(1000);
    signals.onSecond(() => void agent?.stop(0));
    await Promise.allSettled([stopping, stopping?.then(() => shop?.close()) ?? shop?.close()]);
    rmSync(data, { recursive: true, force: true });
    signals.close();
  }
}

async function startMesh(options: DemoOptions, data: string, abort: AbortSignal): Promise<Agent> {
  const agent = await startAgent({
    paths: [options.mesh],
    namespace: 'default',
    dataDirectory: data,
    engine: options.engine,
    apiPort: options.apiPort,
    allowUnenforced: false,
    orphanSeconds: 5,
    version: options.version,
    log: createLog(options.color ? 'colored' : 'plain', 'error', (line) => process.stderr.write(line)),
    abort,
  });
  const refused = agent.controller.proxies().flatMap((p) => p.refused?.problems ?? []);
  const problems = [...agent.controller.config().problems.filter((p) => p.severity === 'error'), ...refused];
  if (problems.length > 0) {
    await agent.stop(0);
    throw new FairleadError('E_CONFIG_REFUSED', 'the shop’s mesh could not be started', { problems });
  }
  return agent;
}

async function perform(options: DemoOptions, agent: Agent, shop: Shop, signals: Signals): Promise<DemoResult> {
  const { write } = options;
  const proxies = agent.status().proxies;
  const proxy = proxies.find((p) => p.name === 'web.default');
  const webProxy = proxy?.listening.find((l) => l.purpose === 'http-proxy')?.address;
  const ordersProxy = proxies.find((p) => p.name === 'orders.default')?.listening.find((l) => l.purpose === 'http-proxy')?.address;
  const payments = proxies.find((p) => p.name === 'payments.default')?.listening.find((l) => l.purpose === 'inbound')?.address;
  const gateway = proxies.find((p) => p.type === 'router')?.listening[0]?.address.replace('0.0.0.0', '127.0.0.1');
  if (!proxy || !webProxy || !gateway || !ordersProxy || !payments)
    throw new FairleadError('E_DEMO_FAILED', 'the shop’s mesh has no proxy for web, orders or payments, or no gateway', {
      next: 'The demo needs examples/shop/mesh as it was shipped.',
    });

  write(`${shop.instances.length} services, ${proxies.length} proxies; routes and rules in ${nearest(options.mesh)}\n`);
  write(`web calls through HTTP_PROXY=http://${webProxy}\nthe world calls http://${gateway}\n`);
  write(options.terminal ? '\n' : `real requests for ${options.seconds} s, then what was counted:\n\n`);
  const acts = createActs();
  const interrupted = new AbortController();
  const ended = Promise.race([signals.first, agent.ended]);
  let signal: NodeJS.Signals | undefined;
  void ended.then((why) => {
    signal = why ?? undefined;
    interrupted.abort();
  });
  const stage = createStage(options, agent, shop, {
    proxyName: proxy.name,
    webProxy,
    ordersProxy,
    gateway,
    payments,
    cut: interrupted.signal,
  });
  const screen = createScreen({ acts, terminal: options.terminal, color: options.color, columns: options.columns, write });
  const clock = setInterval(() => screen.draw(Math.min(options.seconds, Math.round(stage.elapsed() / 1000)), options.seconds), 200);
  try {
    await Promise.all(acts.map((a) => a.run(stage)));
  } finally {
    clearInterval(clock);
    screen.end();
    stage.web.close();
    stage.orders.close();
    stage.outside.close();
  }
  const result: DemoResult = {
    interrupted: interrupted.signal.aborted,
    ...(signal && { signal }),
    acts: acts.map(shown),
  };
  if (options.keep && !result.interrupted) {
    for (const i of shop.instances) i.failing = undefined;
    write(
      `${demoText(result, { color: options.color, width: options.columns() })}\n${keepText(agent, { webProxy, ordersProxy, gateway, payments })}`,
    );
    await ended;
  }
  return result;
}

function createStage(
  options: DemoOptions,
  agent: Agent,
  shop: Shop,
  at: { proxyName: string; webProxy: string; ordersProxy: string; gateway: string; payments: string; cut: AbortSignal },
): Stage {
  const id = agent.status().proxies.find((p) => p.name === at.proxyName)?.id ?? '';
  const started = performance.now();
  const elapsed = (): number => performance.now() - started;
  const over = (): boolean => at.cut.aborted || elapsed() >= options.seconds * 1000;
  return {
    shop,
    web: createCaller(at.webProxy),
    orders: createCaller(at.ordersProxy),
    outside: createCaller(undefined),
    gateway: at.gateway,
    payments: at.payments,
    elapsed,
    over,
    sleep: (ms) =>
      new Promise((resolve) => {
        const timer = setTimeout(done, ms);
        function done(): void {
          clearTimeout(timer);
          at.cut.removeEventListener('abort', done);
          resolve();
        }
        at.cut.addEventListener('abort', done);
      }),
    async stat(name) {
      const { body } = await agent.engine.admin(id, 'GET', `/stats?filter=${encodeURIComponent(`^${name.replace(/[|.;]/g, '\\$&')}$`)}`);
      return Number(/: (\d+)\s*$/.exec(body.toString('utf8').trim())?.[1] ?? 0);
    },
  };
}

/** A path as people would type it here. */
function nearest(path: string): string {
  const near = relative(process.cwd(), path);
  return near.length > 0 && near.length < path.length ? near : path;
}

function keepText(
  agent: Agent,
  { webProxy, ordersProxy, gateway, payments }: Record<'webProxy' | 'ordersProxy' | 'gateway' | 'payments', string>,
): string {
  const api = agent.api.url ?? `unix:${agent.api.socket}`;
  const lines = [
    '',
    'It stays up. Try, in another terminal:',
    '',
    `  curl -x http://${webProxy} http://catalog/catalog/books`,
    `  curl -x http://${webProxy} -H 'x-tester: yes' http://catalog/catalog/books`,
    `  curl -H 'host: shop.example.com' http://${gateway}/catalog`,
    `  curl -x http://${ordersProxy} -X POST http://payments/charges     # 200: orders may`,
    `  curl -x http://${webProxy} -X POST http://payments/charges     # 403: web may not`,
    `  curl http://${payments}/charges     # cut off: plain text`,
    `  npx fairlead proxy-status --agent ${api}`,
    `  npx fairlead proxy-config route --proxy web --agent ${api}`,
    `  npx fairlead proxy-config secret --proxy payments --agent ${api}`,
    `  curl ${api}/stats/prometheus`,
    '',
    'Or edit a file of the shop’s mesh and save it. Ctrl-C ends it.',
    '',
  ];
  return lines.join('\n');
}
