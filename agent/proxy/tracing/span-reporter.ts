import type { ClusterManager, RawHeaders, StatsRegistry, UpstreamHandler } from '../types.ts';
import type { FinishedSpan } from './span.ts';

export interface SpanReporterOptions {
  cluster: string;
  path: string;
  headers: RawHeaders;
  /** Milliseconds. */
  timeout: number;
  encode(spans: readonly FinishedSpan[]): Buffer;
  clusters: ClusterManager;
  stats: StatsRegistry;
  /** `tracing.zipkin` */
  statPrefix: string;
}

/** Spans are gathered so long. Milliseconds. */
const GATHER_MS = 1000;
/** Or until there are so many. */
const BATCH = 512;
/** Spans that wait while the collector is slow; more are dropped and counted. */
const QUEUE_LIMIT = 4096;

/**
 * Sends spans to a collector in batches, one request at a time, through a cluster as any request. Requests never wait for it: when the collector
 * cannot keep up or cannot be reached, spans are lost, and counted.
 */
export function createSpanReporter(options: SpanReporterOptions): (span: FinishedSpan) => void {
  const { clusters, stats, statPrefix } = options;
  const counter = (name: string): { inc(n?: number): void } => stats.counter(`${statPrefix}.${name}`);
  let queue: FinishedSpan[] = [];
  let timer: NodeJS.Timeout | undefined;
  let sending = false;

  function schedule(): void {
    if (sending || queue.length === 0) return;
    if (queue.length >= BATCH) flush();
    else timer ??= setTimeout(flush, GATHER_MS).unref();
  }

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (sending || queue.length === 0) return;
    const batch = queue.slice(0, BATCH);
    queue = queue.slice(BATCH);
    sending = true;
    send(batch, (status) => {
      sending = false;
      if (status === undefined) counter('reports_dropped').inc();
      else if (status >= 200 && status < 300) {
        counter('reports_sent').inc();
        counter('spans_sent').inc(batch.length);
      } else counter('reports_failed').inc();
      schedule();
    });
  }

  /** `done` gets the collector's status, undefined when it could not be asked; it is called once. */
  function send(batch: readonly FinishedSpan[], done: (status: number | undefined) => void): void {
    const cluster = clusters.get(options.cluster);
    const host = cluster?.chooseHost({});
    if (cluster === undefined || host === undefined) {
      done(undefined);
      return;
    }
    const body = options.encode(batch);
    const headers = [...options.headers, 'content-length', String(body.length)];
    let answer: number | undefined;
    let over = false;
    const finish = (status: number | undefined): void => {
      if (over) return;
      over = true;
      clearTimeout(late);
      done(status);
    };
    const handler: UpstreamHandler = {
      onHeaders(status) {
        answer = status;
      },
      onData: () => true,
      onEnd: () => finish(answer),
      onReset: () => finish(undefined),
    };
    const request = { method: 'POST', path: options.path, headers, endStream: false, downstreamProtocol: 'HTTP/1.1' as const };
    const stream = cluster.request(host, request, handler);
    const late = setTimeout(() => {
      stream.cancel('timeout');
      finish(undefined);
    }, options.timeout).unref();
    if (over) {
      clearTimeout(late);
      return;
    }
    stream.write(body);
    stream.end();
  }

  return (span) => {
    if (queue.length >= QUEUE_LIMIT) {
      counter('spans_dropped').inc();
      return;
    }
    queue.push(span);
    schedule();
  };
}
