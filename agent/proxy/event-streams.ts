/** Finished requests and log lines on their way to whoever listens. A slow listener loses records, never slows the proxy. */
import type { ServerResponse } from 'node:http';
import type { RequestRecord } from '../../src/telemetry/request-record.ts';
import type { ProxyEvent } from './protocol.ts';

export interface EventStreams {
  attach(response: ServerResponse, records: boolean): void;
  record(record: RequestRecord): void;
  log(level: 'info' | 'warning' | 'error', message: string): void;
  /** Clients attached now. */
  readonly attached: number;
  close(): void;
}

/** Above this much unread text, records for that listener are dropped and counted. */
const BACKLOG_BYTES = 4 * 1024 * 1024;
/** Lines are gathered this long, so that a busy proxy writes to the socket a few times a second and not at each request. */
const FLUSH_MS = 20;

interface Listener {
  response: ServerResponse;
  records: boolean;
  dropped: number;
}

/** @param changed is told the number of listeners whenever it changes */
export function createEventStreams(changed: (attached: number) => void): EventStreams {
  const listeners = new Set<Listener>();
  let recordListeners = 0;
  let pending: RequestRecord[] = [];
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    timer = undefined;
    const batch = pending;
    pending = [];
    if (recordListeners === 0) return;
    let text = '';
    for (const record of batch) text += `{"record":${JSON.stringify(record)}}\n`;
    for (const l of listeners) {
      if (!l.records) continue;
      if (l.response.writableLength > BACKLOG_BYTES) l.dropped += batch.length;
      else {
        if (l.dropped > 0) send(l, { dropped: l.dropped });
        l.dropped = 0;
        l.response.write(text);
      }
    }
  }

  return {
    get attached() {
      return listeners.size;
    },
    attach(response, records) {
      const listener: Listener = { response, records, dropped: 0 };
      listeners.add(listener);
      if (records) recordListeners++;
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.flushHeaders();
      changed(listeners.size);
      const left = (): void => {
        if (!listeners.delete(listener)) return;
        if (records) recordListeners--;
        changed(listeners.size);
      };
      response.on('close', left);
      response.on('error', left);
    },
    record(record) {
      if (recordListeners === 0) return;
      pending.push(record);
      timer ??= setTimeout(flush, FLUSH_MS);
    },
    log(level, message) {
      for (const l of listeners) if (!l.records && l.response.writableLength < BACKLOG_BYTES) send(l, { log: { level, message } });
      process.stderr.write(`${new Date().toISOString()} ${level} ${message}\n`);
    },
    close() {
      if (timer) clearTimeout(timer);
      flush();
      for (const l of listeners) l.response.end();
    },
  };
}

function send(listener: Listener, event: ProxyEvent): void {
  listener.response.write(`${JSON.stringify(event)}\n`);
}
