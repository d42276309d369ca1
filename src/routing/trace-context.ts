/** Trace context in headers: B3 (https://github.com/openzipkin/b3-propagation) and W3C (https://www.w3.org/TR/trace-context/). */
import { removeHeader, setHeader } from './header-mutation.ts';

/** What came with a request. Ids are lower-case hex. */
export interface TraceContext {
  traceId: string;
  spanId: string;
  /** undefined: whoever sent it leaves the decision to us. */
  sampled: boolean | undefined;
}

/** A span's own context. */
export interface SpanContext {
  traceId: string;
  spanId: string;
  /** Empty for the first span of a trace. */
  parentId: string;
  sampled: boolean;
}

/** Headers as they came: `single` is one `b3`, `multi` are `x-b3-…`. */
export type B3Form = 'single' | 'multi';
export type Lookup = (name: string) => string | undefined;

const SINGLE = /^([\da-f]{32}|[\da-f]{16})-([\da-f]{16})(?:-([01d])(?:-[\da-f]{16})?)?$/i;
const TRACE_ID = /^(?:[\da-f]{32}|[\da-f]{16})$/i;
const SPAN_ID = /^[\da-f]{16}$/i;
const zero = (id: string): boolean => /^0+$/.test(id);

/** B3 of a request, and in which form the next one expects it; the context is undefined when there is none, or none to be understood. */
export function extractB3(header: Lookup): { context: TraceContext | undefined; sampled: boolean | undefined; form: B3Form } {
  const single = header('b3');
  if (single !== undefined) {
    // A decision alone: `0`, `1`, `d`.
    if (/^[01d]$/.test(single)) return { context: undefined, sampled: single !== '0', form: 'single' };
    const found = SINGLE.exec(single);
    if (found === null) return { context: undefined, sampled: undefined, form: 'multi' };
    const sampled = found[3] === undefined ? undefined : found[3] !== '0';
    return { context: contextOf(found[1]!, found[2]!, sampled), sampled, form: 'single' };
  }
  const flag = header('x-b3-sampled');
  const sampled = header('x-b3-flags') === '1' ? true : flag === undefined ? undefined : flag === '1' || flag === 'true';
  const traceId = header('x-b3-traceid') ?? '';
  const spanId = header('x-b3-spanid') ?? '';
  const context = TRACE_ID.test(traceId) && SPAN_ID.test(spanId) ? contextOf(traceId, spanId, sampled) : undefined;
  return { context, sampled, form: 'multi' };
}

function contextOf(traceId: string, spanId: string, sampled: boolean | undefined): TraceContext | undefined {
  if (zero(traceId)) return undefined;
  return { traceId: traceId.toLowerCase(), spanId: spanId.toLowerCase(), sampled };
}

/** `traceparent`; undefined without one, and for one that is not version 00. */
export function extractW3c(header: Lookup): TraceContext | undefined {
  const found = /^00-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})$/.exec(header('traceparent') ?? '');
  if (found === null || zero(found[1]!) || zero(found[2]!)) return undefined;
  return { traceId: found[1]!, spanId: found[2]!, sampled: (Number.parseInt(found[3]!, 16) & 1) === 1 };
}

/** Writes B3 to flat headers, in place. */
export function injectB3(headers: string[], { traceId, spanId, parentId, sampled }: SpanContext, form: B3Form): void {
  if (form === 'single') {
    setHeader(headers, 'b3', `${traceId}-${spanId}-${sampled ? 1 : 0}${parentId === '' ? '' : `-${parentId}`}`);
    return;
  }
  setHeader(headers, 'x-b3-traceid', traceId);
  setHeader(headers, 'x-b3-spanid', spanId);
  if (parentId !== '') setHeader(headers, 'x-b3-parentspanid', parentId);
  else removeHeader(headers, 'x-b3-parentspanid');
  setHeader(headers, 'x-b3-sampled', sampled ? '1' : '0');
}

/** Writes `traceparent`; trace ids of 64 bits are filled up. */
export function injectW3c(headers: string[], { traceId, spanId, sampled }: SpanContext): void {
  setHeader(headers, 'traceparent', `00-${traceId.padStart(32, '0')}-${spanId}-${sampled ? '01' : '00'}`);
}
