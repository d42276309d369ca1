import type {
  HttpConnectionManagerJson,
  HttpFilterJson,
} from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { FAULT_ABORT_BODY } from '../routing/fault.ts';
import { filterDisabled } from '../routing/filter-config.ts';
import type { RouteRequest } from '../routing/request.ts';
import type { Decision } from '../routing/types.ts';
import type { Branch } from './branches.ts';
import { end, ownAnswer } from './ending.ts';
import { type AbortShare, evaluateFilter, ROUTER } from './filters.ts';
import type { ForwardContext } from './forward.ts';
import { typeOf } from './listener.ts';
import { originOfMetadata, partOfRule } from './origin.ts';
import type { PreparedRoutes } from './routes.ts';
import type { GuardVerdict } from './security/guard.ts';
import { tellGuard } from './security/tell-guard.ts';
import { addDependence, addStep, endOutcome, type Trace } from './trace.ts';
import type { DecidingPolicy, Delay, Outcome, Step } from './types.ts';

/** The part of a rule that a filter's doing was written in. */
const PARTS: Readonly<Record<string, string>> = { fault: 'fault', answers: 'corsPolicy', adds: 'corsPolicy' };

/** One branch through the filters to its end. */
export function explainBranch(
  trace: Trace,
  prepared: PreparedRoutes,
  branch: Branch,
  request: RouteRequest,
  context: ForwardContext,
  several: boolean,
  verdicts: ReadonlyMap<HttpFilterJson, GuardVerdict>,
): void {
  const { decision, share } = branch;
  const { hcm, view } = context;
  const route = decision.route;
  const origin = route && originOfMetadata(route.json.metadata, view.locator);
  const where = {
    routeConfiguration: prepared.config.name,
    ...(decision.virtualHost !== undefined && { virtualHost: decision.virtualHost.name }),
    ...(route !== undefined && { route: route.name, routeField: prepared.field(route.field) }),
    ...(origin !== undefined && { routeOrigin: origin }),
  };
  const nextId = (): string => String(trace.outcomes.length + 1);
  const push = (outcome: Outcome): void => void trace.outcomes.push({ ...outcome, id: nextId(), ...where });
  const refused = refusedUpgrade(decision, request, hcm);
  if (refused) {
    addStep(trace, 'action', route?.name ?? '', `${refused} is not allowed here`, { effect: 'stops' });
    push(endOutcome('rejected', `403: ${refused} is not allowed`, { share, status: 403, responseCodeDetails: 'upgrade_failed' }));
    return;
  }
  let delay: Delay | undefined;
  let aborts: AbortShare | undefined;
  const added: string[] = [];
  const allowedBy: DecidingPolicy[] = [];
  const id = several ? nextId() : undefined;
  for (const filter of hcm.httpFilters ?? []) {
    if (typeOf(filter.typedConfig) === ROUTER) break;
    const guard = filterDisabled(decision, filter.name ?? '') === true ? undefined : verdicts.get(filter);
    if (guard !== undefined) {
      tellGuard(trace, filter.name ?? '', guard, id);
      if (guard.kind !== 'denies') {
        if (guard.kind === 'lets-pass' && guard.policies !== undefined) allowedBy.push(...guard.policies);
        continue;
      }
      const { status, details, flags, body, headers, policies } = guard;
      const summary = `${status}: ${guard.why}`;
      const outcome = ownAnswer('denied', summary, request, decision, context, { share, status, details, flags, body, headers });
      push({ ...outcome, ...(policies !== undefined && { policies }) });
      return;
    }
    const verdict = evaluateFilter(filter, decision, request, view.extensions);
    if (verdict.kind === 'neutral') continue;
    const name = filter.name ?? '';
    const partOf = PARTS[verdict.kind];
    const say = (text: string, effect: Step['effect']): void => {
      if (!trace.steps.some((s) => s.kind === 'filter' && s.resource === name && s.decision === text))
        addStep(trace, 'filter', name, text, {
          effect,
          outcome: id,
          origin: partOf === undefined ? undefined : partOfRule(origin, partOf, view.locator),
        });
    };
    if (verdict.kind === 'unevaluated') {
      say(`not evaluated: ${verdict.why}`, 'unknown');
      if (!trace.unevaluated.some((u) => u.name === name)) trace.unevaluated.push({ name, why: verdict.why });
      addDependence(trace, 'unevaluated', `the filter ${name} is not evaluated; it is taken to let the request pass`);
    } else if (verdict.kind === 'answers') {
      say(verdict.why, 'stops');
      push(
        ownAnswer('direct-response', `${verdict.status}: ${verdict.why}`, request, decision, context, {
          share,
          status: verdict.status,
          details: verdict.details,
          headers: verdict.headers,
        }),
      );
      return;
    } else if (verdict.kind === 'fault') {
      say(verdict.why, verdict.abort?.share === 1 ? 'stops' : 'changes');
      delay = verdict.delay;
      aborts = verdict.abort;
      if ([delay, aborts].some((f) => f !== undefined && f.share > 0 && f.share < 1))
        addDependence(trace, 'chance', `${name} acts on a share of the requests`);
      if (delay?.share === 0) delay = undefined;
      if (aborts?.share === 1) break;
    } else {
      say(verdict.why, verdict.kind === 'adds' ? 'changes' : 'passes');
      if (verdict.kind === 'adds') added.push(...verdict.headers);
    }
  }
  const late = delay === undefined ? {} : { delay };
  if (aborts !== undefined && aborts.share > 0) {
    const { httpStatus, grpcStatus } = aborts;
    const what = httpStatus === undefined ? `gRPC status ${grpcStatus}` : String(httpStatus);
    const outcome = ownAnswer('aborted', `${what}: an injected fault`, request, decision, context, {
      share: share * aborts.share,
      status: httpStatus ?? 200,
      details: 'fault_filter_abort',
      flags: delay?.share === 1 ? 'DI,FI' : 'FI',
      body: FAULT_ABORT_BODY,
      grpcStatus,
    });
    push({ ...outcome, ...late });
  }
  const left = share * (1 - (aborts?.share ?? 0));
  const allowed = allowedBy.length === 0 ? {} : { policies: allowedBy };
  if (left > 0)
    push({ ...end(trace, decision, request, context, left, added, id), ...allowed, ...late, ...(delay?.share === 1 && { flags: 'DI' }) });
}

/** Envoy answers upgrades that nothing allows with 403; CONNECT without a route with 404. */
function refusedUpgrade(decision: Decision, request: RouteRequest, hcm: HttpConnectionManagerJson): string | undefined {
  const type = request.method === 'CONNECT' ? 'connect' : undefined;
  if (type === undefined || decision.kind === 'not-found') return undefined;
  const general = (hcm.upgradeConfigs ?? []).some((u) => (u.upgradeType ?? '').toLowerCase() === type && u.enabled !== false);
  const own = decision.kind === 'route' ? decision.action.upgrades.get(type) : undefined;
  return (own ?? general) ? undefined : 'CONNECT';
}
