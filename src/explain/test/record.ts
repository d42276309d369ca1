/** A test from what an explanation says today. */
import { parseClusterName } from '../../envoy/names.ts';
import { percent } from '../percent.ts';
import type { Explanation, Outcome } from '../types.ts';
import { parseUrl } from '../url.ts';
import type { Case, Expectation, Sender, Target } from './types.ts';

/** A test as it is written into a file. */
export interface RecordedTest extends Sender {
  readonly name: string;
  readonly hosts?: string;
  readonly methods?: string;
  readonly paths?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly connections?: string;
  readonly sni?: string;
  readonly sourceIp?: string;
  readonly http2?: true;
  readonly jwtClaims?: Readonly<Record<string, unknown>>;
  readonly expect: Expectation;
}

/** The test that asks the same and expects what is explained. */
export function recordTest(one: Case, sender: Sender, explanation: Explanation): RecordedTest {
  const expect = expectationOf(explanation);
  const { sni, sourceIp } = one.kind === 'request' ? one.request : one.connection;
  const common = { ...sender, ...(sni !== undefined && { sni }), ...(sourceIp !== undefined && { sourceIp }) };
  if (one.kind === 'connection') {
    const { host, port } = one.connection;
    const place = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    return { name: `${place}: ${summaryOf(explanation)}`, ...common, connections: place, expect };
  }
  const { method, url, headers = [], protocol, jwtClaims } = one.request;
  const parsed = parseUrl(url);
  const { scheme, authority, path } = typeof parsed === 'string' ? { scheme: 'http', authority: url, path: '/' } : parsed;
  return {
    name: `${method} ${authority}${path}: ${summaryOf(explanation)}`,
    ...common,
    hosts: scheme === 'https' ? `https://${authority}` : authority,
    ...(method !== 'GET' && { methods: method }),
    ...(path !== '/' && { paths: path }),
    ...(headers.length > 0 && { headers: Object.fromEntries(headers) }),
    ...(protocol === 'HTTP/2' && { http2: true as const }),
    ...(jwtClaims !== undefined && { jwtClaims }),
    expect,
  };
}

function summaryOf({ outcomes }: Explanation): string {
  const summaries = outcomes.map((o) => (outcomes.length === 1 ? o.summary : `${percent(o.share)} ${o.summary}`));
  return summaries.join(', ').replaceAll(/\.([a-z0-9-]+)\.svc\.[a-z0-9.-]*[a-z0-9]/g, '.$1');
}

/** `reviews.default` of a cluster's own service. */
const shortHost = (host: string): string => /^([^.]+\.[^.]+)\.svc\./.exec(host)?.[1] ?? host;

function expectationOf({ outcomes, request }: Explanation): Expectation {
  const unfaulted = outcomes.filter((o) => o.type !== 'aborted');
  const [first] = unfaulted;
  const fault = faultOf(outcomes);
  if (first === undefined) return { ...(outcomes[0]?.route && { route: outcomes[0].route }), ...fault };
  const same = <T>(of: (o: Outcome) => T): T | undefined =>
    unfaulted.every((o) => JSON.stringify(of(o)) === JSON.stringify(of(first))) ? of(first) : undefined;
  const route = outcomes.every((o) => o.route === first.route) ? first.route : undefined;
  const type = same((o) => o.type);
  const where = whereOf(unfaulted);
  const upstream = same((o) => upstreamOf(o, request));
  const timeout = same((o) => o.timeouts?.total);
  const status = same((o) => o.status);
  const body = same((o) => o.body);
  const headers = same((o) =>
    Object.fromEntries(o.responseHeaders.filter(([name]) => !['location', 'content-type', 'content-length', 'date'].includes(name))),
  );
  const isPlain = type === 'redirect';
  return {
    ...(route && { route }),
    ...(where ?? (type !== undefined && type !== 'redirect' && type !== 'unknown' && { outcome: type })),
    ...(status !== undefined && !isPlain && { status }),
    ...(isPlain && {
      redirect: { ...(status !== undefined && { status }), ...(first.location !== undefined && { location: first.location }) },
    }),
    ...(upstream !== undefined && Object.keys(upstream).length > 0 && { upstream }),
    ...responseOf(headers, body),
    ...fault,
    ...(timeout !== undefined && timeout > 0 && { timeout: written(timeout) }),
    ...retriesOf(same((o) => o.retries)),
    ...mirrorsOf(same((o) => o.mirrors)),
  };
}

function whereOf(outcomes: readonly Outcome[]): Pick<Expectation, 'destination' | 'split' | 'cluster'> | undefined {
  const targets = outcomes.map(({ type, destination }): Target | undefined =>
    type === 'forward' && destination?.service !== undefined && destination.port !== undefined
      ? { host: shortHost(destination.service), subset: destination.subset ?? '', port: destination.port }
      : undefined,
  );
  const short = (target: Target): Target => (target.subset === '' ? { host: target.host!, port: target.port! } : target);
  if (targets.some((target) => target === undefined)) {
    const cluster = outcomes.length === 1 && outcomes[0]!.type === 'forward' ? outcomes[0]!.destination?.cluster : undefined;
    return cluster === undefined ? undefined : { cluster };
  }
  // The same destination by several ways is one.
  const shares = new Map<string, { target: Target; share: number }>();
  targets.forEach((target, i) => {
    const key = JSON.stringify(target);
    const known = shares.get(key);
    if (known === undefined) shares.set(key, { target: target!, share: outcomes[i]!.share });
    else known.share += outcomes[i]!.share;
  });
  const merged = [...shares.values()];
  if (merged.length === 1) return { destination: short(merged[0]!.target) };
  const weights = weightsOf(merged.map((way) => way.share));
  return { split: merged.map(({ target }, i) => ({ ...target, weight: weights[i]! })) };
}

/** Shares as the smallest whole numbers in their proportion; millionths where there are none. */
function weightsOf(shares: readonly number[]): number[] {
  const sum = shares.reduce((n, share) => n + share, 0);
  for (const total of [100, 1000, 10_000]) {
    const whole = shares.map((share) => (share / sum) * total);
    if (whole.every((n) => Math.abs(n - Math.round(n)) < 1e-6 && Math.round(n) > 0)) return whole.map(Math.round);
  }
  return shares.map((share) => Math.max(1, Math.round((share / sum) * 1_000_000)));
}

/** What a proxy adds by itself, and what changes with every request. */
const USUAL = /^(?:x-forwarded-|x-request-id$|x-envoy-|traceparent$|tracestate$|x-b3-|grpc-timeout$|content-length$|connection$|te$|via$)/;

function upstreamOf({ upstream }: Outcome, request: Explanation['request']): Expectation['upstream'] {
  if (upstream === undefined || request === undefined) return undefined;
  const changed = upstream.changes.filter((change) => !USUAL.test(change.slice(1)));
  const names = changed.filter((change) => !change.startsWith('-')).map((change) => change.slice(1));
  const added = upstream.headers.filter(([name, value]) => names.includes(name) && !/\{[^}]*\}/.test(value));
  const removed = changed.filter((change) => change.startsWith('-')).map((change) => change.slice(1));
  return {
    ...(upstream.authority !== request.authority && { host: upstream.authority }),
    ...(upstream.path !== request.path && { path: upstream.path }),
    ...(added.length > 0 && { headers: Object.fromEntries(added) }),
    ...(removed.length > 0 && { withoutHeaders: removed }),
  };
}

function responseOf(headers: Readonly<Record<string, string>> | undefined, body: string | undefined): Pick<Expectation, 'response'> {
  const stable = Object.entries(headers ?? {}).filter(
    ([name, value]) => !/\{[^}]*\}/.test(value) && name !== 'x-envoy-upstream-service-time',
  );
  if (stable.length === 0 && (body === undefined || body === '')) return {};
  return {
    response: { ...(stable.length > 0 && { headers: Object.fromEntries(stable) }), ...(body !== undefined && body !== '' && { body }) },
  };
}

/** As people write durations. */
const written = (ms: number): string => (ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`);

const share = (of: number): { percent?: number } => (of >= 0.999_999_5 ? {} : { percent: Number((of * 100).toFixed(4)) });

function faultOf(outcomes: readonly Outcome[]): Pick<Expectation, 'fault'> {
  const delay = outcomes.find((o) => o.delay !== undefined)?.delay;
  const aborted = outcomes.filter((o) => o.type === 'aborted');
  if (delay === undefined && aborted.length === 0) return {};
  const [first] = aborted;
  const total = aborted.reduce((n, o) => n + o.share, 0);
  return {
    fault: {
      ...(delay !== undefined && { delay: { duration: written(delay.ms), ...share(delay.share) } }),
      ...(first !== undefined && {
        abort: {
          ...(first.grpcStatus !== undefined ? { grpcStatus: first.grpcStatus } : first.status !== undefined && { status: first.status }),
          ...share(total),
        },
      }),
    },
  };
}

/** Istio's policy for routes that lay down none: a test of it would be one of Istio. */
function isDefault({ attempts, on, statusCodes, perTryTimeout }: NonNullable<Outcome['retries']>): boolean {
  const usual = ['connect-failure', 'refused-stream', 'unavailable', 'cancelled', 'retriable-status-codes'];
  return (
    attempts === 2 &&
    perTryTimeout === 0 &&
    statusCodes.every((code) => code === 503) &&
    on.length === usual.length &&
    on.every((word) => usual.includes(word))
  );
}

function retriesOf(retries: Outcome['retries']): Pick<Expectation, 'retries'> {
  if (retries === undefined || retries.attempts === 0 || isDefault(retries)) return {};
  return {
    retries: {
      attempts: retries.attempts,
      ...(retries.on.length > 0 && { retryOn: retries.on }),
      ...(retries.statusCodes.length > 0 && { statusCodes: retries.statusCodes }),
      ...(retries.perTryTimeout > 0 && { perTryTimeout: written(retries.perTryTimeout) }),
    },
  };
}

function mirrorsOf(mirrors: Outcome['mirrors'] | undefined): Pick<Expectation, 'mirror'> {
  if (mirrors === undefined || mirrors.length === 0) return {};
  const targets = mirrors.flatMap(({ cluster, share: part }) => {
    const to = parseClusterName(cluster);
    return to === undefined || to.host === ''
      ? []
      : [{ host: shortHost(to.host), ...(to.subset !== '' && { subset: to.subset }), port: to.port, ...share(part) }];
  });
  return targets.length === mirrors.length ? { mirror: targets.length === 1 ? targets[0]! : targets } : {};
}
