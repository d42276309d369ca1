/** The agent's events in its structured log: one line a change, one line a problem. */
import { formatPosition } from '../src/config/resource.ts';
import type { Problem } from '../src/errors.ts';
import type { Agent } from './agent.ts';
import type { ConfigState } from './controller.ts';
import type { Log } from './log.ts';

export function logAgentEvents(agent: Agent, log: Log): void {
  const running = (): number => agent.controller.proxies().filter((p) => p.applied).length;
  logConfig(agent.controller.config(), log, running(), running());
  agent.events.subscribe((event) => {
    if (event.type !== 'config') return;
    if (event.event.type === 'proxy-refused') {
      const { node, refused } = event.event.proxy;
      log.error('the engine refused the config of a proxy; its last good one runs on', { proxy: `${node.name}.${node.namespace}` });
      logProblems(refused?.problems ?? [], log);
    } else if (event.event.type === 'proxy-taken') {
      const { node, applied } = event.event.proxy;
      log.debug('a proxy runs its configuration', { proxy: `${node.name}.${node.namespace}`, version: applied?.version });
    } else logConfig(event.event.config, log, event.event.type === 'accepted' ? event.event.changed.length : 0, running());
  });
}

/** @param running proxies that serve now */
function logConfig(config: ConfigState, log: Log, changed: number, running: number): void {
  const fields = { files: config.files, resources: config.resources, tookMs: Math.round(config.took) };
  if (config.state === 'refused')
    log.error(`the configuration is refused; ${running > 0 ? 'the last good one runs on' : 'nothing runs until it is mended'}`, fields);
  else log.info('configuration applied', { ...fields, changed });
  logProblems(config.problems, log);
}

function logProblems(problems: readonly Problem[], log: Log): void {
  for (const p of problems) {
    log[p.severity](p.message, {
      rule: p.rule,
      ...(p.position ? { at: formatPosition(p.position) } : {}),
      ...(p.origin ? { object: p.origin } : {}),
      ...(p.path ? { field: p.path } : {}),
    });
  }
}
