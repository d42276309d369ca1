/** A case through `explain`: what can be said beforehand must be what both engines do. */
import { buildSnapshot } from '../../src/envoy/build.ts';
import { explainConnection, explainRequest } from '../../src/explain/explain.ts';
import { createLocator } from '../../src/explain/locator.ts';
import { createMeshSides } from '../../src/explain/mesh-side.ts';
import type { ExplainRequest, Explanation, Outcome } from '../../src/explain/types.ts';
import { type ProxyView, viewOfSnapshot } from '../../src/explain/view.ts';
import type { ProxyNode } from '../../src/mesh/types.ts';
import type { ContractCase, Expectation, RequestStep, Step } from './case.ts';
import { credentialsOf } from './credentials/credentials.ts';
import { textMismatch } from './match.ts';
import { CLIENT, meshOf } from './mesh-of-case.ts';
import { filled, placeholders } from './placeholders.ts';
import { requestOf } from './run-requests.ts';

/** Ports that stand for backends where none is started. */
const FIRST_PORT = 1001;

/** Backends that fail or take their time, and steps that depend on what was before, are beyond an explanation. */
function isPlain(contractCase: ContractCase): boolean {
  const calm = Object.values(contractCase.backends).every(
    ({ kind = 'http', reply = {} }) =>
      ['http', 'tcp', 'ext-authz'].includes(kind) && Object.keys(reply).every((k) => k === 'headers' || k === 'trailers'),
  );
  return calm && contractCase.steps.every((s) => !s.change && !s.wait && !s.background);
}

/** Whether nothing but its names decides about a certificate: who signed it, and when it is valid, is beyond an explanation. */
function isSound({ tls }: RequestStep, { certificates }: ContractCase): boolean {
  if (tls === undefined || tls === true) return true;
  if (tls.minVersion || tls.maxVersion || tls.ciphers) return false;
  const { issuer = 'mesh', valid = 'now', key = 'ec-p256', intermediate } = certificates[tls.certificate ?? ''] ?? {};
  return issuer === 'mesh' && valid === 'now' && key !== 'rsa-1024' && intermediate === undefined;
}

const asksForHttp = ({ url, protocol = 'http/1.1' }: RequestStep): boolean =>
  url !== undefined && (protocol === 'http/1.1' || protocol === 'h2c' || protocol === 'h2' || protocol.startsWith('grpc'));

function explainStep(step: Step, view: ProxyView, contractCase: ContractCase): Explanation {
  const { method, authority, path, headers, source } = requestOf(step, 0, 0);
  const grpc = step.protocol?.startsWith('grpc') ?? false;
  // Over HTTP/2 the authority counts, whatever host says.
  const sent = grpc || step.protocol?.startsWith('h2') ? headers.filter(([name]) => name !== 'host') : headers;
  const own: (readonly [string, string])[] = grpc ? [...sent, ['content-type', 'application/grpc'], ['te', 'trailers']] : [...sent];
  const tls = step.tls === true ? {} : step.tls;
  const client = clientOf(step, contractCase);
  return explainRequest(view, {
    method,
    url: `${tls === undefined ? 'http' : 'https'}://${authority}${path}`,
    headers: step.body === undefined ? own : [...own, ['content-length', String(step.body.length)]],
    protocol: grpc || step.protocol === 'h2c' || step.protocol === 'h2' ? 'HTTP/2' : 'HTTP/1.1',
    entry: step.to === undefined ? { kind: 'http-proxy' } : { kind: 'port', port: Number(step.to) },
    ...(source && { sourceIp: source }),
    ...(tls !== undefined && { sni: step.sni ?? '', alpn: tls.alpn ?? [] }),
    ...(client !== undefined && { client }),
  });
}

const clientOf = ({ tls }: RequestStep, { certificates }: ContractCase): ExplainRequest['client'] => {
  const shown = tls === undefined || tls === true ? undefined : certificates[tls.certificate ?? ''];
  return (
    shown && {
      uris: [shown.uri ?? []].flat(),
      dnsNames: shown.dns ?? [],
      subject: shown.name === undefined ? '' : `CN=${shown.name}`,
    }
  );
};

function explainBytes(step: RequestStep, view: ProxyView, contractCase: ContractCase): Explanation {
  const client = clientOf(step, contractCase);
  const alpn = step.tls === undefined || step.tls === true ? [] : (step.tls.alpn ?? []);
  return explainConnection(view, {
    host: '127.0.0.1',
    port: Number(step.to),
    entry: { kind: 'port', port: Number(step.to) },
    ...(step.source && { sourceIp: step.source }),
    ...(step.protocol === 'tls' && { sni: step.sni ?? '', alpn }),
    ...(client && { client }),
  });
}

/** Empty: as expected; undefined: nothing of it can be decided beforehand. */
function connectionMismatch({ broken, messages }: Expectation, { outcomes, decidable }: Explanation): string | undefined {
  const outcome = outcomes[0]!;
  const forwarded = outcome.type === 'forward' || outcome.type === 'passthrough';
  if (!decidable || outcome.type === 'unknown' || (!broken && !messages?.length)) return undefined;
  if (broken && messages !== undefined && messages.length > 0) return undefined;
  return forwarded === (broken !== true) ? '' : `${broken ? 'refused' : 'passed on'}: ${outcome.summary}`;
}

/** Backends that an outcome leads to, with their shares of it. */
function originsOf(outcome: Outcome, names: ReadonlyMap<number, string>): Map<string, number> {
  const origins = new Map<string, number>();
  if (outcome.destination === undefined || outcome.type === 'no-endpoints') return origins;
  for (const { address, share } of outcome.destination.endpoints) {
    if (share === 0) continue;
    const name = names.get(Number(address.slice(address.lastIndexOf(':') + 1))) ?? address;
    origins.set(name, (origins.get(name) ?? 0) + share);
  }
  return origins;
}

/** undefined: nothing of what is expected can be decided beforehand. */
function outcomeMismatches(expected: Expectation, explanation: Explanation, names: ReadonlyMap<number, string>): string[] | undefined {
  const outcome = explanation.outcomes[0]!;
  const out: string[] = [];
  let checked = 0;
  const check = (what: string, wrong: string | undefined): void => {
    checked++;
    if (wrong !== undefined) out.push(`${what}: ${wrong}`);
  };
  const text = (value: string | number | undefined): string | undefined => (value === undefined ? undefined : String(value));
  const head = explanation.request?.method === 'HEAD';
  if (expected.broken) check('broken', outcome.status === undefined && outcome.type !== 'forward' ? undefined : outcome.summary);
  const { status, from, local, upstream = {}, headers = {}, record = {}, body, grpcStatus } = expected;
  const origins = originsOf(outcome, names);
  if (from !== undefined) {
    const wanted = [from].flat();
    check(
      'from',
      [...origins.keys()].every((o) => wanted.includes(o)) && origins.size > 0
        ? undefined
        : [...origins.keys()].join(',') || outcome.summary,
    );
  }
  if (local) {
    check('local', outcome.type === 'forward' ? outcome.summary : undefined);
    if (status !== undefined && grpcStatus === undefined) check('status', textMismatch(status, text(outcome.status)));
    if (grpcStatus !== undefined) check('grpc-status', textMismatch(grpcStatus, text(outcome.grpcStatus)));
    if (typeof body === 'string' && outcome.body !== undefined && !head) check('body', textMismatch(body, outcome.body));
    for (const field of ['flags', 'details'] as const) {
      const seen = field === 'flags' ? outcome.flags : outcome.responseCodeDetails;
      if (record[field] !== undefined) check(field, textMismatch(record[field], seen));
    }
  }
  if (headers['location'] !== undefined) check('location', textMismatch(headers['location'], outcome.location));
  if (record['route'] !== undefined) check('route', textMismatch(record['route'], outcome.route));
  if (record['cluster'] !== undefined) check('cluster', textMismatch(record['cluster'], outcome.destination?.cluster));
  if (outcome.upstream !== undefined && upstream.backend === undefined) {
    for (const field of ['method', 'path', 'authority'] as const)
      if (upstream[field] !== undefined) check(`upstream ${field}`, textMismatch(upstream[field], outcome.upstream[field]));
    for (const [name, value] of Object.entries(upstream.headers ?? {})) {
      const lines = outcome.upstream.headers.filter(([k]) => k === name.toLowerCase()).map(([, v]) => v);
      // In braces: only a running proxy knows it.
      if (!lines.some((l) => l.includes('{')))
        check(`upstream header ${name}`, textMismatch(value, lines.length === 0 ? undefined : lines));
    }
  }
  return checked === 0 ? undefined : out;
}

function shareMismatches(shares: Record<string, number>, outcomes: readonly Outcome[], names: ReadonlyMap<number, string>): string[] {
  const seen = new Map<string, number>();
  const add = (name: string, share: number): void => void seen.set(name, (seen.get(name) ?? 0) + share);
  for (const outcome of outcomes) {
    const origins = originsOf(outcome, names);
    if (origins.size === 0) add('local', outcome.share);
    for (const [name, share] of origins) add(name, outcome.share * share);
  }
  return Object.entries(shares)
    .filter(([name, percent]) => Math.abs((seen.get(name) ?? 0) * 100 - percent) > 0.5)
    .map(([name, percent]) => `share of ${name}: ${((seen.get(name) ?? 0) * 100).toFixed(1)}, not ${percent}`);
}

/** True when the case could be explained and was; false when it depends on time, chance or failure. Throws what was explained wrongly. */
export async function explainCase(contractCase: ContractCase): Promise<boolean> {
  if (!isPlain(contractCase)) return false;
  const ports = Object.keys(contractCase.backends).map((name, i) => [name, FIRST_PORT + i] as const);
  const places = placeholders(ports, await credentialsOf(contractCase));
  const { mesh, snapshots } = await meshOf(contractCase, places, '/dev/null');
  const views = new Map<string, ProxyView>();
  const viewOf = (proxy: ProxyNode): ProxyView => {
    const name = `${proxy.name}.${proxy.namespace}`;
    const snapshot = snapshots.get(name) ?? buildSnapshot(mesh, proxy);
    const view = views.get(name) ?? viewOfSnapshot(snapshot, 'contract', createLocator(mesh, proxy.namespace), sides.of(proxy));
    views.set(name, view);
    return view;
  };
  const sides = createMeshSides(mesh, viewOf);
  const listening = (port: number): string => {
    const found = [...snapshots].find(([, { listeners }]) => listeners.some((l) => Number(l.address?.socketAddress?.portValue) === port));
    return found?.[0] ?? [...snapshots.keys()][0]!;
  };
  const names = new Map(ports.map(([name, port]) => [port, name]));
  for (const [name] of ports) names.set(await places.port(`${name}.in`), name);
  let explained = false;
  for (const [i, step] of filled(contractCase.steps, places).entries()) {
    if (!step.expect || !isSound(step, contractCase)) continue;
    if (step.send !== undefined && (step.protocol === 'tcp' || step.protocol === 'tls') && step.to !== undefined) {
      const wrong = connectionMismatch(
        step.expect,
        explainBytes(step, viewOf(snapshots.get(listening(Number(step.to)))!.proxy), contractCase),
      );
      if (wrong === undefined) continue;
      explained = true;
      if (wrong !== '') throw new Error(`step ${i + 1}: ${wrong}`);
    }
    if (!asksForHttp(step)) continue;
    const proxy = step.from ?? (step.to === undefined ? CLIENT : listening(Number(step.to)));
    const explanation = explainStep(step, viewOf(snapshots.get(proxy)!.proxy), contractCase);
    const { outcomes, decidable } = explanation;
    const { shares } = step.expect;
    const wrong = shares
      ? shareMismatches(shares, outcomes, names)
      : decidable
        ? outcomeMismatches(step.expect, explanation, names)
        : undefined;
    if (wrong === undefined) continue;
    explained = true;
    if (wrong.length > 0) throw new Error(`step ${i + 1}: ${wrong.join('\n  ')}`);
  }
  return explained;
}
