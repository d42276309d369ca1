import { filterDisabled } from '../../../src/routing/filter-config.ts';
import { finalizeResponse } from '../../../src/routing/finalize.ts';
import { match } from '../../../src/routing/match.ts';
import type { RouteRequest } from '../../../src/routing/request.ts';
import { applyResponseRequestId } from '../../../src/routing/request-id.ts';
import type { StreamInfo } from '../../../src/routing/stream-info.ts';
import type { Decision } from '../../../src/routing/types.ts';
import type { BodyTranscoder } from '../filters/body-transcoder.ts';
import type { HttpFilter } from '../filters/http-filter.ts';
import { formatAddress } from '../listener/connection.ts';
import { spanSeesResponse, startSpan } from '../tracing/exchange-span.ts';
import type { Span } from '../tracing/span.ts';
import type { Host, RawHeaders } from '../types.ts';
import { admitRequest } from './admit-request.ts';
import { appendVia } from './append-via.ts';
import { collectStreamed } from './collect-streamed.ts';
import { CollectedBody } from './collected-body.ts';
import type { ConnectionManager } from './connection-manager.ts';
import type { DownstreamEvents, DownstreamStream } from './downstream-stream.ts';
import { exchangeInfo, finishExchange } from './finish-exchange.ts';
import type { GrpcFrameCounter } from './grpc-frame-counter.ts';
import type { HttpConnection } from './http-connection.ts';
import { httpDate } from './http-date.ts';
import { describeGrpc, describePlain } from './local-reply.ts';
import { mayUpgrade } from './may-upgrade.ts';
import { type FlagName, withFlag } from './response-flags.ts';
import { RouterCall } from './router.ts';
import { StreamTimers, type TimedStream } from './stream-timers.ts';

/**
 * One request and its answer, from the codec's headers to the record: the filter chain, local replies, what the connection manager
 * adds to answers, the stream's own timeouts. The router takes over at the end of the chain.
 */
export class Exchange implements DownstreamEvents, TimedStream {
  readonly manager: ConnectionManager;
  readonly connection: HttpConnection;
  readonly stream: DownstreamStream;
  readonly request: RouteRequest;
  /** As the client sent it. */
  readonly originalPath: string;
  /** Upgrade type of a switch of protocols, lower case; `connect` for CONNECT. */
  readonly upgrade: string | undefined;
  readonly startTime = Date.now();
  readonly started = performance.now();
  decision: Decision | undefined;
  /** In the order in which they were set; `-` for none. */
  flags = '-';
  details = '';
  terminationDetails = '';
  status = 0;
  grpc = false;
  bytesReceived = 0;
  bytesSent = 0;
  requestEnded: boolean;
  /** When the whole request was here, by performance.now(). */
  requestEndedAt = 0;
  responseStarted = false;
  done = false;
  responseHeaders: RawHeaders | undefined;
  responseTrailers: RawHeaders | undefined;
  /** What the router found out, for the record. */
  upstreamHost: Host | undefined;
  upstreamCluster = '';
  upstreamLocalAddress = '';
  upstreamTransportFailure = '';
  upstreamServiceTime: number | undefined;
  attempts = 0;
  /** Where requests are traced. */
  span: Span | undefined;
  /** Counted for gRPC calls whose upstream is asked. */
  grpcMessages: { readonly request: GrpcFrameCounter; readonly response: GrpcFrameCounter } | undefined;
  /** Filters keep what they need of one request here. */
  filterState: Map<HttpFilter, unknown> | undefined;
  /** Set by a filter that translates bodies, before the router runs. */
  transcoder: BodyTranscoder | undefined;
  /** Of the request's body, what came before the router ran: a filter wanted to see it first. */
  collected: CollectedBody | undefined;
  /** The transcoder keeps the answer's headers back. */
  #held = false;
  #router: RouterCall | undefined;
  #nextFilter = 0;
  #timers: StreamTimers | undefined;

  constructor(connection: HttpConnection, stream: DownstreamStream, request: RouteRequest, requestEnded: boolean, upgrade?: string) {
    this.connection = connection;
    this.manager = connection.manager;
    this.stream = stream;
    this.request = request;
    this.originalPath = request.path;
    this.requestEnded = requestEnded;
    this.upgrade = upgrade;
    if (requestEnded) this.requestEndedAt = this.started;
    const { stats } = this.manager;
    stats.rqTotal.value++;
    stats.rqActive.value++;
    if (stream.protocol === 'HTTP/2') stats.rqHttp2.value++;
    else stats.rqHttp1.value++;
  }

  /** Admits, routes and filters the request. */
  start(): void {
    const { settings } = this.manager;
    if (settings.streamIdleTimeout > 0) this.setIdleTimeout(settings.streamIdleTimeout);
    if (settings.requestTimeout > 0 && !this.requestEnded) this.#timed().setRequest(settings.requestTimeout);
    if (settings.maxStreamDuration > 0) this.setMaxDuration(settings.maxStreamDuration);
    if (!admitRequest(this)) return;
    this.decision = match(this.manager.routes.current, this.request);
    if (this.manager.tracing !== undefined) startSpan(this, this.manager.tracing);
    if (this.upgrade !== undefined && !mayUpgrade(this)) return;
    this.continueRequest();
  }

  /** Goes on along the filter chain; the router is its end. */
  continueRequest(): void {
    const { filters } = this.manager;
    while (this.#nextFilter < filters.length) {
      const filter = filters[this.#nextFilter++]!;
      if (filter.onRequest === undefined) continue;
      const decision = this.decision!;
      if (decision.filterLevels.length > 0 && filterDisabled(decision, filter.name) === true) continue;
      if (!filter.onRequest(this)) return;
      if (this.done) return;
    }
    this.#router = new RouterCall(this);
    this.#router.start();
  }

  addFlag(flag: FlagName): void {
    this.flags = withFlag(this.flags, flag);
  }

  /** Reads the request's body for a filter that stopped the chain, until there are `enough` bytes of it, or all; perhaps at once. */
  collectRequest(enough: number, done: () => void): void {
    this.collected ??= new CollectedBody(this.stream);
    this.collected.want(enough, done);
  }

  /** What was collected, for the router, as the filters make it. */
  takeCollected(): { pieces: Buffer[]; trailers: RawHeaders | undefined } | undefined {
    const { collected, transcoder } = this;
    if (collected === undefined) return undefined;
    const pieces = transcoder === undefined ? collected.pieces : collected.pieces.flatMap((piece) => transcoder.requestData(piece) ?? []);
    if (this.requestEnded && !this.done) transcoder?.requestEnd();
    for (const piece of pieces) this.grpcMessages?.request.see(piece);
    return { pieces, trailers: collected.trailers };
  }

  /** Finds the route anew, by what filters made of the request. Envoy: clearRouteCache. */
  rematch(): void {
    this.request.headersChanged();
    this.decision = match(this.manager.routes.current, this.request);
  }

  /** A filter's dynamic metadata, to read and to write; made when it is first asked for. */
  dynamicMetadata(filter: string): Record<string, unknown> {
    this.request.metadata ??= {};
    const all = this.request.metadata as Record<string, Record<string, unknown>>;
    if (!Object.hasOwn(all, filter)) all[filter] = {};
    return all[filter]!;
  }

  /** A route's idle timeout replaces the connection manager's; 0 switches it off. */
  setIdleTimeout(ms: number): void {
    this.#timed().setIdle(ms);
  }

  setMaxDuration(ms: number): void {
    this.#timed().setMaxStream(ms);
  }

  #timed(): StreamTimers {
    this.#timers ??= new StreamTimers(this);
    return this.#timers;
  }

  /** The trusted client's address with port: the peer's own, unless x-forwarded-for or the PROXY protocol said another. */
  trustedAddress(): string {
    const { info } = this.connection;
    const { remoteAddress } = this.request;
    // Envoy: an address out of x-forwarded-for has no port.
    return remoteAddress === '' || remoteAddress === info.remoteIp ? info.remoteAddress : formatAddress(remoteAddress, 0);
  }

  // From the codec.

  onRequestData(chunk: Buffer): void {
    if (this.done) return;
    this.bytesReceived += chunk.length;
    collectStreamed(chunk.length);
    this.#timers?.active();
    if (this.collected !== undefined && this.#router === undefined) {
      this.collected.take(chunk);
      return;
    }
    const { transcoder } = this;
    const piece = transcoder === undefined ? chunk : transcoder.requestData(chunk);
    if (piece === undefined) return;
    this.grpcMessages?.request.see(piece);
    this.#router?.onRequestData(piece);
  }

  onRequestEnd(trailers: RawHeaders | undefined): void {
    if (this.requestEnded) return;
    this.requestEnded = true;
    this.requestEndedAt = performance.now();
    this.#timers?.requestEnded();
    if (this.collected !== undefined && this.#router === undefined) {
      this.collected.end(trailers, this.done);
      return;
    }
    if (!this.done && this.transcoder?.requestEnd() !== false) this.#router?.onRequestEnd(trailers);
  }

  onDownstreamDrain(): void {
    this.#timers?.active();
    this.#router?.onDownstreamDrain();
  }

  onDownstreamReset(details: string): void {
    if (this.done) return;
    this.addFlag('DC');
    this.details = details;
    this.manager.stats.rqRxReset.value++;
    this.#finish();
  }

  // Answers.

  /**
   * Answers by itself; for gRPC clients as gRPC. When the answer has begun already it can only be cut off. `headers` are the first of it.
   */
  localReply(status: number, body: string | Buffer, details: string, headers?: RawHeaders, grpcStatus?: number): void {
    if (this.done) return;
    if (this.details === '' || !this.responseStarted) this.details = details;
    if (this.responseStarted) {
      this.cutResponse();
      return;
    }
    this.#router?.abandon();
    const { decision } = this;
    // A client whose call is translated gets its local replies translated as well.
    const grpc = this.grpc && this.transcoder === undefined;
    this.status = grpc ? 200 : status;
    const head = headers ?? [];
    if (decision !== undefined && decision.kind !== 'not-found' && decision.responseMutations.length > 0)
      finalizeResponse(decision, head, this.info());
    const sent = grpc ? describeGrpc(head, status, body, grpcStatus) : describePlain(head, body);
    this.respond(this.status, head);
    if (sent !== undefined && this.request.method !== 'HEAD') this.respondData(sent);
    this.respondEnd(undefined);
  }

  /** The answer's headers; filters see them on their way. */
  respond(status: number, headers: RawHeaders): void {
    this.status = status;
    const { filters, settings, stats } = this.manager;
    for (let i = filters.length - 1; i >= 0; i--) filters[i]!.onResponse?.(this, status, headers);
    let server = false;
    let date = false;
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i];
      if (name === 'date') date = true;
      else if (name === 'server') {
        server = true;
        if (settings.serverHeader === 'OVERWRITE') headers[i + 1] = settings.serverName;
      }
    }
    if (!date) headers.push('date', httpDate());
    if (!server && settings.serverHeader !== 'PASS_THROUGH') headers.push('server', settings.serverName);
    if (this.manager.requestIdInResponse) applyResponseRequestId(headers, this.request.header('x-request-id') ?? '');
    if (settings.via !== '') appendVia(headers, settings.via);
    if (this.manager.tracing !== undefined) spanSeesResponse(this, this.manager.tracing, headers);
    this.responseStarted = true;
    this.responseHeaders = headers;
    if (this.connection.shouldClose()) stats.cxDrainClose.value++;
    this.#timers?.active();
    if (this.transcoder?.responseHeaders(status, headers) === false) this.#held = true;
    else this.stream.sendHeaders(status, headers);
  }

  /** False: stop until the router's onDownstreamDrain. */
  respondData(chunk: Buffer): boolean {
    this.#timers?.active();
    this.grpcMessages?.response.see(chunk);
    const piece = this.transcoder === undefined ? chunk : this.transcoder.responseData(chunk);
    if (piece === undefined) return true;
    this.bytesSent += piece.length;
    collectStreamed(piece.length);
    return this.stream.sendData(piece);
  }

  respondEnd(trailers: RawHeaders | undefined): void {
    this.responseTrailers = trailers;
    if (this.transcoder === undefined) this.stream.sendEnd(trailers);
    else this.#endTranscoded(this.transcoder, trailers);
    this.#finish();
  }

  #endTranscoded(transcoder: BodyTranscoder, trailers: RawHeaders | undefined): void {
    const last = transcoder.responseEnd(trailers);
    if (this.#held) this.stream.sendHeaders(this.status, this.responseHeaders!);
    if (last !== undefined) {
      this.bytesSent += last.length;
      this.stream.sendData(last);
    }
    this.stream.sendEnd(undefined);
  }

  /** The answer cannot be finished: the client must see that it is cut off. */
  cutResponse(): void {
    if (this.done) return;
    this.manager.stats.rqTxReset.value++;
    this.stream.reset();
    this.#finish();
  }

  /** The exchange became a tunnel; both directions ended. */
  tunnelEnded(received: number, sent: number): void {
    this.bytesReceived += received;
    this.bytesSent += sent;
    this.#finish();
  }

  /** For formats: what is known of this request by now. */
  info(): StreamInfo {
    return exchangeInfo(this);
  }

  #finish(): void {
    if (this.done) return;
    this.done = true;
    this.#timers?.stop();
    this.#router?.abandon();
    const { filters } = this.manager;
    for (let i = 0; i < filters.length; i++) filters[i]!.onEnd?.(this);
    finishExchange(this);
    this.connection.exchangeDone();
  }
}
