import type { AnyJson } from '@bufbuild/protobuf/wkt';
import type { Problem } from '../../../src/errors.ts';
import type { Exchange } from '../http/exchange.ts';
import type { RawHeaders, StatsRegistry } from '../types.ts';

/**
 * One HTTP filter of a connection manager. Requests pass the filters in order, answers in reverse order; local replies pass them too.
 * A filter has no state of its own per request: it keeps that with `exchange.filterState`.
 */
export interface HttpFilter {
  /** Its name in the chain: what typed_per_filter_config goes by. */
  readonly name: string;
  /** False: stopped; the filter answers, or calls exchange.continueRequest() later. */
  onRequest?(exchange: Exchange): boolean;
  /** Changes the answer's headers in place; may return another status. */
  onResponse?(exchange: Exchange, status: number, headers: RawHeaders): void;
  /** The request is over, however it ended. */
  onEnd?(exchange: Exchange): void;
}

export interface HttpFilterContext {
  readonly statPrefix: string;
  readonly stats: StatsRegistry;
  /** Where the filter stands, for problems. */
  readonly path: string;
}

/** Makes a filter of its configuration; without `filter` the configuration was refused. */
export type HttpFilterFactory = (
  name: string,
  config: AnyJson,
  context: HttpFilterContext,
) => { filter: HttpFilter | undefined; problems: readonly Problem[] };
