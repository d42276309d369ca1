import { parseDuration } from '../../config/duration.ts';
import type { KubernetesService } from '../../config/kinds/kubernetes.ts';
import type { HTTPRoute, ServiceEntry, VirtualService } from '../../config/kinds/networking.ts';
import type { FieldPath, Resource } from '../../config/resource.ts';
import { kubernetesProtocol, parseProtocol } from '../../mesh/protocol.ts';
import type { Analyzer } from '../analyzer.ts';
import type { ReportFinding } from '../finding.ts';
import type { AnalysisModel } from '../model/analysis-model.ts';

/** A smaller share of faults is taken for a standing experiment. */
const MAX_STANDING_FAULT = 5;

/** Settings of HTTP rules that do not do what they say: weights, retries, timeouts, faults. */
export const routeSettings: Analyzer = {
  name: 'fl-route-settings',
  codes: ['FL0103', 'FL0104', 'FL0105', 'FL0106'],
  run(model, report) {
    for (const resource of model.of<VirtualService>('VirtualService')) {
      for (const [i, rule] of (resource.spec.http ?? []).entries()) {
        const at = ['spec', 'http', i];
        checkWeights(resource, rule, at, report);
        checkRetries(resource, rule, at, report);
        checkStreams(model, resource, rule, at, report);
        checkFault(resource, rule, at, report);
      }
    }
  },
};

function checkWeights(resource: Resource, { route = [] }: HTTPRoute, at: FieldPath, report: ReportFinding): void {
  if (route.length < 2) return;
  const sum = route.reduce((total, { weight = 0 }) => total + weight, 0);
  if (sum === 0 || sum === 100) return;
  // One that says none gets nothing: with the others below 100 the rest was meant for it.
  const silent = route.flatMap(({ weight }, i) => (weight === undefined ? [i] : []));
  const fix =
    silent.length === 1 && sum < 100
      ? {
          title: `Give the destination without a weight the ${100 - sum} that are left`,
          edits: [{ resource, path: [...at, 'route', silent[0]!, 'weight'], value: 100 - sum }],
        }
      : undefined;
  const weights = route.map(({ weight }) => weight ?? 0).join(' + ');
  report('FL0103', resource, [...at, 'route'], { weights, sum }, { atKey: true, ...(fix && { fix }) });
}

function checkRetries(resource: Resource, { retries, timeout }: HTTPRoute, at: FieldPath, report: ReportFinding): void {
  const whole = parseDuration(timeout ?? '') ?? 0;
  const each = parseDuration(retries?.perTryTimeout ?? '') ?? 0;
  const tries = (retries?.attempts ?? 0) + 1;
  if (whole <= 0 || each <= 0 || tries < 2 || tries * each <= whole) return;
  const related = [{ resource, at: [...at, 'timeout'], note: 'the whole request may take this long' }];
  const args = { tries, perTryTimeout: retries!.perTryTimeout!, timeout: timeout!, possible: Math.max(1, Math.floor(whole / each)) };
  report('FL0104', resource, [...at, 'retries', 'perTryTimeout'], args, { related });
}

function checkStreams(
  model: AnalysisModel,
  resource: Resource<VirtualService>,
  rule: HTTPRoute,
  at: FieldPath,
  report: ReportFinding,
): void {
  if (!((parseDuration(rule.timeout ?? '') ?? 0) > 0)) return;
  const upgrades = (rule.match ?? []).some(
    ({ headers = {}, scheme }) => headers['upgrade']?.exact?.toLowerCase() === 'websocket' || /^wss?$/.test(scheme?.exact ?? ''),
  );
  const grpc = (rule.match ?? []).some(({ uri }) => STREAMING.test(uri?.exact ?? uri?.prefix ?? ''));
  const socket = !upgrades && !grpc ? (rule.route ?? []).find(({ destination }) => isSocketPort(model, resource, destination)) : undefined;
  if (!upgrades && !grpc && socket === undefined) return;
  report('FL0105', resource, [...at, 'timeout'], { timeout: rule.timeout!, what: grpc ? 'gRPC streams' : 'WebSockets' });
}

/** Methods of gRPC's own services that stream: https://github.com/grpc/grpc-proto. */
const STREAMING = /^\/grpc\.(?:health\.v1\.Health\/Watch|reflection\.v1(?:alpha)?\.ServerReflection(?:\/|$))/;

/** A port that says by its appProtocol that it speaks WebSocket: https://kubernetes.io/docs/concepts/services-networking/service/#application-protocol. */
function isSocketPort(
  model: AnalysisModel,
  { metadata, spec }: Resource<VirtualService>,
  to: { host: string; port?: { number?: number } },
): boolean {
  const found = model.hosts.lookup(metadata.namespace, spec.exportTo, to.host)?.resource;
  if (found?.kind !== 'Service') return false;
  const { ports = [] } = found.spec as KubernetesService;
  return ports.some(
    (port) => (to.port?.number === undefined || port.port === to.port.number) && /^kubernetes\.io\/wss?$/.test(port.appProtocol ?? ''),
  );
}

/** What is spoken on the ports of a host's object, by number. */
export function protocolsOf(resource: Resource): Map<number, string> {
  if (resource.kind === 'Service') {
    return new Map(((resource.spec as KubernetesService).ports ?? []).map((port) => [port.port, kubernetesProtocol(port)]));
  }
  return new Map(((resource.spec as ServiceEntry).ports ?? []).map((port) => [port.number, parseProtocol(port.protocol)]));
}

function checkFault(resource: Resource, { fault, match = [] }: HTTPRoute, at: FieldPath, report: ReportFinding): void {
  // Requests that carry a header for it ask for the fault.
  const chosen = match.length > 0 && match.every(({ headers, queryParams }) => Object.keys({ ...headers, ...queryParams }).length > 0);
  if (fault === undefined || chosen) return;
  for (const part of ['delay', 'abort'] as const) {
    const share = fault[part]?.percentage?.value ?? (fault[part] as { percent?: number } | undefined)?.percent ?? 0;
    if (share <= MAX_STANDING_FAULT) continue;
    const what = part === 'delay' ? `wait ${fault.delay?.fixedDelay ?? ''}`.trim() : 'are answered with an error';
    report('FL0106', resource, [...at, 'fault', part], { share, what }, { atKey: true });
  }
}
