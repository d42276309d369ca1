import type { SpanContext } from '../../../src/routing/trace-context.ts';

/** One request's span, from its start to its record. */
export interface Span extends SpanContext {
  name: string;
  /** The name came with the route and may still be told to the client's side. */
  decorated: boolean;
}

/** A span that is over. */
export interface FinishedSpan extends SpanContext {
  readonly name: string;
  readonly kind: 'SERVER' | 'CLIENT';
  /** Microseconds since 1970. */
  readonly start: number;
  /** Microseconds. */
  readonly duration: number;
  readonly error: boolean;
  readonly tags: Readonly<Record<string, string>>;
}

/** Who makes spans: Envoy's node. */
export interface TracingNode {
  id: string;
  cluster: string;
  zone: string;
}
