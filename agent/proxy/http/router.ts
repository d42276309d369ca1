import type { Duplex } from 'node:stream';
import { headerView } from '../../../src/routing/header-view.ts';
import { removeHopByHop } from '../../../src/routing/hop-by-hop.ts';
import type { AttemptOutcome } from '../../../src/routing/retry-state.ts';
import type { RawHeaders, ResetReason } from '../types.ts';
import { answerDecision } from './answer-decision.ts';
import { Attempt } from './attempt.ts';
import { finalizeAnswer, renewRequest } from './attempt-headers.ts';
import type { Exchange } from './exchange.ts';
import { grpcStatusIn } from './grpc-status-in.ts';
import { type MirrorCall, startMirrors } from './mirror-call.ts';
import { type OutboundRequest, prepareRequest } from './prepare-request.ts';
import { avoidHost, takeRetry } from './retries.ts';
import type { RouteStats } from './route-stats.ts';
import { startTimer, type TimerOwner, type WheelTimer } from './timer-wheel.ts';
import { connectTunnel, joinTunnel } from './tunnel.ts';
import { detailsAfterStart } from './upstream-failure.ts';
import { answerFailure, answerNoHost, answerTimeout } from './upstream-reply.ts';

const TIMER = { global: 0, perTry: 1, backOff: 2, perTryIdle: 3 } as const;

/** Carries one request to its cluster: attempts, retries, timeouts, mirrors, and the answer back. Envoy: the router filter. */
export class RouterCall implements TimerOwner {
  readonly exchange: Exchange;
  #out: OutboundRequest | undefined;
  #routeStats: RouteStats | undefined;
  #attempt: Attempt | undefined;
  #mirrors: readonly MirrorCall[] | undefined;
  /** The request's body as far as it came, while it may have to be sent again. */
  #kept: Buffer[] | undefined;
  #keptBytes = 0;
  #bodyStarted = false;
  #requestTrailers: RawHeaders | undefined;
  #responseTrailers: RawHeaders | undefined;
  #retrying = false;
  #afterTimeout = false;
  #over = false;
  #timers: (WheelTimer | undefined)[] | undefined;
  #lastData = 0;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }

  start(): void {
    const { exchange } = this;
    const decision = answerDecision(exchange, exchange.decision!);
    if (decision === undefined) return;
    const { stats, clusters } = exchange.manager;
    stats.routerTotal.value++;
    const out = prepareRequest(exchange, decision, clusters);
    if (out === undefined) {
      stats.noCluster.value++;
      exchange.addFlag('NC');
      exchange.localReply(decision.action.clusterNotFoundStatus, '', 'cluster_not_found');
      return;
    }
    this.#out = out;
    this.#routeStats = exchange.manager.routeStats(decision);
    exchange.upstreamCluster = out.cluster.name;
    const { timeouts } = out;
    if (timeouts.idle !== undefined) exchange.setIdleTimeout(timeouts.idle);
    if (timeouts.maxStream !== undefined) exchange.setMaxDuration(timeouts.maxStream);
    if (decision.action.connect !== undefined && exchange.upgrade === 'connect') {
      this.#connect();
      return;
    }
    const early = exchange.takeCollected();
    if (exchange.done) return;
    if (early !== undefined) {
      this.#kept = early.pieces;
      for (const piece of early.pieces) this.#keptBytes += piece.length;
      this.#requestTrailers = early.trailers;
    } else if (out.retry !== undefined && !exchange.requestEnded) this.#kept = [];
    if (decision.action.mirrors.length > 0 && exchange.upgrade === undefined) this.#mirrors = startMirrors(exchange, decision, out, early);
    this.#startAttempt();
    if (early !== undefined && out.retry === undefined) this.#kept = undefined;
    if (exchange.requestEnded && !this.#over) this.#startGlobalTimer();
  }

  // From the exchange.

  onRequestData(chunk: Buffer): void {
    if (this.#kept !== undefined) this.#keep(chunk);
    if (this.#mirrors !== undefined) for (const mirror of this.#mirrors) mirror.write(chunk);
    const attempt = this.#attempt;
    if (attempt === undefined || attempt.over) return;
    attempt.write(chunk);
    if (attempt.blocked) this.exchange.stream.pauseRequest();
  }

  onRequestEnd(trailers: RawHeaders | undefined): void {
    this.#requestTrailers = trailers;
    if (this.#mirrors !== undefined) for (const mirror of this.#mirrors) mirror.end(trailers);
    const attempt = this.#attempt;
    if (attempt !== undefined && !attempt.over) {
      attempt.stream!.end(trailers);
      this.#startTryTimers();
    }
    if (!this.#over) this.#startGlobalTimer();
  }

  onDownstreamDrain(): void {
    this.#attempt?.stream?.resume();
  }

  /** The exchange is over, or answers by itself: nothing is asked of the upstream any more. */
  abandon(): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopTimers();
    this.#attempt?.cancel('downstream');
    this.#endRetry();
    this.#kept = undefined;
    if (this.#mirrors !== undefined && !this.exchange.requestEnded) for (const mirror of this.#mirrors) mirror.cancel();
  }

  // From the attempt.

  onConnected(attempt: Attempt, localAddress: string): void {
    this.exchange.upstreamHost = attempt.host;
    this.exchange.upstreamLocalAddress = localAddress;
    this.#routeStats?.total.inc();
  }

  onUpstreamDrain(attempt: Attempt): void {
    if (attempt === this.#attempt && !this.exchange.requestEnded) this.exchange.stream.resumeRequest();
  }

  onInformational(status: number, headers: RawHeaders): void {
    // The client's 100 was sent when its body was asked for.
    if (status !== 100 && !this.exchange.responseStarted) this.exchange.stream.sendInformational(status, headers);
  }

  onHeaders(attempt: Attempt, status: number, headers: RawHeaders): void {
    const { exchange } = this;
    const out = this.#out!;
    const now = performance.now();
    exchange.upstreamHost = attempt.host;
    const grpc = exchange.grpc ? grpcStatusIn(headers) : undefined;
    const view = out.retry === undefined ? undefined : headerView(headers, status);
    const wanted = view !== undefined && out.retry!.shouldRetry({ kind: 'response', status, headers: view }) !== undefined;
    const retried = wanted && this.#mayRetry();
    out.cluster.recordResponse(attempt.host, status, now - attempt.started, retried, grpc);
    if (view !== undefined) {
      if (retried) {
        attempt.cancel('retry');
        this.#backOff(out.retry!.backOff(Math.random(), view, Date.now()));
        return;
      }
      if (exchange.attempts > 1 && !wanted) {
        out.cluster.stats.counter('upstream_rq_retry_success').inc();
        this.#routeStats?.retrySuccess.inc();
      }
      this.#endRetry();
    }
    this.#kept = undefined;
    this.#timers?.[TIMER.perTry]?.cancel();
    removeHopByHop(headers);
    this.#routeStats?.response(status);
    // Headers may tell it.
    exchange.status = status;
    finalizeAnswer(exchange, out, headers, now);
    exchange.details = 'via_upstream';
    exchange.respond(status, headers);
  }

  onData(chunk: Buffer): boolean {
    if (this.#out!.timeouts.perTryIdle > 0) this.#lastData = performance.now();
    return this.exchange.respondData(chunk);
  }

  onTrailers(trailers: RawHeaders): void {
    this.#responseTrailers = trailers;
  }

  onEnd(_attempt: Attempt): void {
    this.exchange.respondEnd(this.#responseTrailers);
  }

  onUpgrade(attempt: Attempt, status: number, headers: RawHeaders, socket: Duplex): void {
    const { exchange } = this;
    exchange.upstreamHost = attempt.host;
    this.#out!.cluster.recordResponse(attempt.host, status, performance.now() - attempt.started);
    this.#stopTimers();
    this.#routeStats?.response(status);
    exchange.status = status;
    finalizeAnswer(exchange, this.#out!, headers, performance.now());
    exchange.details = 'via_upstream';
    joinTunnel(exchange, status, headers, socket);
  }

  onReset(attempt: Attempt, reason: ResetReason): void {
    const { exchange } = this;
    const { stats } = exchange.manager;
    exchange.upstreamHost = attempt.host;
    if (exchange.responseStarted) {
      stats.resetAfterStart.inc();
      exchange.addFlag(reason.flag);
      exchange.details = detailsAfterStart(reason);
      exchange.cutResponse();
      return;
    }
    if (this.#retried({ kind: 'reset', reason: reason.kind, requestStarted: attempt.connected })) return;
    answerFailure(exchange, this.#out!, this.#routeStats, reason);
  }

  onTimer(kind: number): void {
    if (this.#over) return;
    if (kind === TIMER.backOff) this.#startAttempt();
    else if (kind === TIMER.global) this.#timedOut('timeout', 'upstream_rq_timeout', 'response_timeout');
    else if (kind === TIMER.perTry) this.#tryTimedOut('upstream_rq_per_try_timeout', 'upstream_per_try_timeout');
    else {
      const left = this.#lastData + this.#out!.timeouts.perTryIdle - performance.now();
      if (left > 0) this.#startTimer(TIMER.perTryIdle, left);
      else this.#tryTimedOut('upstream_rq_per_try_idle_timeout', 'upstream_per_try_idle_timeout');
    }
  }

  #startAttempt(): void {
    const { exchange } = this;
    const out = this.#out!;
    // Envoy: it counts when it begins, host or none.
    exchange.attempts++;
    const host = out.cluster.chooseHost(out.balance);
    if (host === undefined) {
      this.#endRetry();
      answerNoHost(exchange, out, this.#routeStats);
      return;
    }
    if (exchange.attempts > 1 || out.decision.action.autoHostRewrite) renewRequest(exchange, out, host, this.#afterTimeout);
    const attempt = new Attempt(this, host);
    this.#attempt = attempt;
    const { request } = out;
    request.endStream = exchange.requestEnded && this.#keptBytes === 0 && this.#requestTrailers === undefined;
    attempt.send(out.cluster, request);
    // It may be over already, and the next one on its way.
    if (attempt.over) return;
    if (this.#kept !== undefined) for (const chunk of this.#kept) attempt.write(chunk);
    if (exchange.requestEnded) {
      if (!request.endStream) attempt.stream!.end(this.#requestTrailers);
      this.#startTryTimers();
    } else if (!this.#bodyStarted) {
      this.#bodyStarted = true;
      if (exchange.stream.expectsContinue && exchange.collected === undefined) exchange.stream.sendInformational(100, []);
      exchange.stream.resumeRequest();
    } else if (!attempt.blocked) exchange.stream.resumeRequest();
  }

  #keep(chunk: Buffer): void {
    this.#keptBytes += chunk.length;
    if (this.#keptBytes <= this.#out!.bufferLimit) {
      this.#kept!.push(chunk);
      return;
    }
    // Envoy: too large to be sent again, so there are no retries.
    this.#kept = undefined;
    const waiting = this.#attempt?.over !== false;
    this.#out!.retry = undefined;
    if (waiting)
      this.exchange.localReply(507, 'exceeded request buffer limit while retrying upstream', 'request_payload_exceeded_retry_buffer_limit');
  }

  /** True when another attempt is on its way. */
  #retried(outcome: AttemptOutcome): boolean {
    const retry = this.#out!.retry;
    if (retry === undefined || retry.shouldRetry(outcome) === undefined || !this.#mayRetry()) return false;
    this.#afterTimeout = outcome.kind === 'per-try-timeout';
    this.#backOff(retry.backOff(Math.random()));
    return true;
  }

  /** Takes one retry, when it may. */
  #mayRetry(): boolean {
    this.#endRetry();
    this.#retrying = takeRetry(this.exchange, this.#out!, this.#routeStats);
    return this.#retrying;
  }

  #backOff(ms: number): void {
    avoidHost(this.#out!, this.#attempt!.host);
    this.#timers?.[TIMER.perTry]?.cancel();
    this.#timers?.[TIMER.perTryIdle]?.cancel();
    this.#startTimer(TIMER.backOff, ms);
  }

  #endRetry(): void {
    if (!this.#retrying) return;
    this.#retrying = false;
    this.#out!.cluster.endRetry();
  }

  #tryTimedOut(counter: string, details: string): void {
    const attempt = this.#attempt;
    if (attempt === undefined || attempt.over || this.exchange.responseStarted) return;
    this.#out!.cluster.stats.counter(counter).inc();
    this.exchange.upstreamHost = attempt.host;
    attempt.cancel('per-try-timeout');
    if (this.#retried({ kind: 'per-try-timeout' })) return;
    answerTimeout(this.exchange, this.#out!, this.#routeStats, details);
  }

  #timedOut(why: 'timeout', counter: string, details: string): void {
    const attempt = this.#attempt;
    this.#out!.cluster.stats.counter(counter).inc();
    this.#routeStats?.timeout.inc();
    if (attempt !== undefined && !attempt.over) {
      this.exchange.upstreamHost = attempt.host;
      attempt.cancel(why);
    }
    answerTimeout(this.exchange, this.#out!, this.#routeStats, details);
  }

  #connect(): void {
    const { exchange } = this;
    const out = this.#out!;
    connectTunnel(exchange, out, (reason) =>
      reason === undefined ? answerNoHost(exchange, out, this.#routeStats) : answerFailure(exchange, out, this.#routeStats, reason),
    );
  }

  #startTryTimers(): void {
    const { timeouts } = this.#out!;
    if (timeouts.perTry > 0) this.#startTimer(TIMER.perTry, timeouts.perTry);
    if (timeouts.perTryIdle > 0) {
      this.#lastData = performance.now();
      this.#startTimer(TIMER.perTryIdle, timeouts.perTryIdle);
    }
  }

  /** Envoy: the route's timeout runs from the end of the request. */
  #startGlobalTimer(): void {
    const { timeouts } = this.#out!;
    if (timeouts.global > 0 && this.exchange.upgrade === undefined) this.#startTimer(TIMER.global, timeouts.global);
  }

  #startTimer(kind: number, ms: number): void {
    this.#timers ??= [undefined, undefined, undefined, undefined];
    this.#timers[kind]?.cancel();
    this.#timers[kind] = startTimer(this, kind, ms);
  }

  #stopTimers(): void {
    if (this.#timers !== undefined) for (const timer of this.#timers) timer?.cancel();
  }
}
