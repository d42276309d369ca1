import type { UpstreamHost } from '../host.ts';
import type { OutlierDetector } from './detector.ts';
import { SuccessRate } from './success-rate.ts';

/** What outlier detection knows of one host. Envoy: DetectorHostMonitorImpl. */
export class OutlierMonitor {
  readonly host: UpstreamHost;
  readonly #detector: OutlierDetector;
  #fives = 0;
  #gateway = 0;
  #local = 0;
  readonly external = new SuccessRate();
  readonly localOrigin = new SuccessRate();
  ejections = 0;
  /** Times the base ejection time that the next ejection lasts. */
  backOff = 0;
  jitter = 0;
  ejectedAt: number | undefined;
  unejectedAt: number | undefined;

  constructor(detector: OutlierDetector, host: UpstreamHost) {
    this.#detector = detector;
    this.host = host;
  }

  /** A response came. */
  response(status: number): void {
    const { config } = this.#detector;
    const failed = status >= 500 && status < 600;
    this.external.add(!failed);
    if (!failed) {
      this.#fives = 0;
      this.#gateway = 0;
      return;
    }
    // Envoy: 502, 503 and 504 are a gateway's.
    if (status >= 502 && status <= 504) {
      if (++this.#gateway === config.consecutiveGatewayFailure) {
        this.#detector.onConsecutive(this, 'consecutive_gateway_failure');
      }
    } else this.#gateway = 0;
    if (++this.#fives === config.consecutive5xx) this.#detector.onConsecutive(this, 'consecutive_5xx');
  }

  /** A connection was made for a request. Counts only where local errors are told apart. */
  connected(): void {
    if (!this.#detector.config.splitErrors) return;
    this.localOrigin.add(true);
    this.#local = 0;
  }

  /** The request failed here: no connection, a broken one (503) or none in time (504). */
  localFailure(status: 503 | 504): void {
    if (!this.#detector.config.splitErrors) {
      this.response(status);
      return;
    }
    this.localOrigin.add(false);
    if (++this.#local === this.#detector.config.consecutiveLocalOriginFailure) {
      this.#detector.onConsecutive(this, 'consecutive_local_origin_failure');
    }
  }

  /** A raw connection to the host worked: success on both levels. */
  connectedFinally(): void {
    if (this.#detector.config.splitErrors) this.connected();
    else this.response(200);
  }

  reset(type?: 'consecutive_5xx' | 'consecutive_gateway_failure' | 'consecutive_local_origin_failure'): void {
    if (type === undefined || type === 'consecutive_5xx') this.#fives = 0;
    if (type === undefined || type === 'consecutive_gateway_failure') this.#gateway = 0;
    if (type === undefined || type === 'consecutive_local_origin_failure') this.#local = 0;
  }
}
