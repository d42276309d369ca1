/** The agent's events as lines of JSON, for `fairlead tap` and for people's own tools. */
import type { ServerResponse } from 'node:http';
import type { Engine } from '../engine.ts';
import type { AgentEvent, EventHub } from '../events.ts';

/** A reader that is this far behind loses lines, and is told how many. */
const BACKLOG_BYTES = 4 * 1024 * 1024;

export function attachEvents(events: EventHub, engine: Engine, response: ServerResponse, records: boolean): void {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  response.flushHeaders();
  let dropped = 0;
  const send = (line: unknown): void => {
    if (response.writableLength >= BACKLOG_BYTES) {
      dropped++;
      return;
    }
    if (dropped > 0) response.write(`${JSON.stringify({ dropped })}\n`);
    dropped = 0;
    response.write(`${JSON.stringify(line)}\n`);
  };
  const ends = [events.subscribe((event) => send(publicEvent(event)))];
  if (records) ends.push(engine.onRecord((request) => send({ request })));
  const close = (): void => {
    for (const end of ends.splice(0)) end();
  };
  response.on('close', close);
  response.on('error', close);
}

function publicEvent(event: AgentEvent): unknown {
  if (event.type === 'engine') return { engine: event.status };
  if (event.event.type === 'proxy-refused') {
    const { node, refused } = event.event.proxy;
    return { config: { type: 'proxy-refused', proxy: `${node.name}.${node.namespace}`, problems: refused?.problems ?? [] } };
  }
  if (event.event.type === 'proxy-taken') {
    const { node, applied } = event.event.proxy;
    return { config: { type: 'proxy-taken', proxy: `${node.name}.${node.namespace}`, version: applied?.version } };
  }
  return { config: { type: event.event.type, ...event.event.config } };
}
