import type { Explanation, Outcome, Step } from '../types.ts';
import { endsText, type Judged } from './judged.ts';
import type { Expectation } from './types.ts';

export const POLICIES: ReadonlySet<string> = new Set(['AuthorizationPolicy', 'RequestAuthentication', 'PeerAuthentication']);

/** Filters that may refuse a request, by a part of their name. */
const GUARDS = /rbac|jwt_authn|istio_authn|ext_authz|oauth2|basic_auth|api_key_auth/i;

/** Whether authentication and authorization let the request pass, and which policy decides, as far as explanations evaluate them. */
export function judgeAccess({ explanation, outcomes, mismatches }: Judged, { allowed, policy }: Expectation): void {
  if (allowed === undefined && policy === undefined) return;
  const unknown = explanation.unevaluated.filter(({ name }) => GUARDS.test(name));
  const cannot = `cannot be told: ${unknown.map(({ name, why }) => `${name} is not evaluated (${why})`).join(', ')}`;
  if (allowed !== undefined) {
    const handshakeFails = explanation.steps.some((s) => s.kind === 'tls' && s.effect === 'stops');
    const isDenied = ({ type }: Outcome): boolean => type === 'denied' || (type === 'closed' && handshakeFails);
    const denied = outcomes.every(isDenied);
    const passes = !outcomes.some(isDenied);
    if (allowed ? !passes : !denied)
      mismatches.push({
        path: ['allowed'],
        expected: allowed ? 'allowed' : 'denied',
        actual: unknown.length > 0 ? cannot : denied || !passes ? endsText(outcomes) : `allowed: ${endsText(outcomes)}`,
      });
    else if (allowed && unknown.length > 0) mismatches.push({ path: ['allowed'], expected: 'allowed', actual: cannot });
  }
  if (policy === undefined) return;
  const deciding = policiesOf(explanation);
  if (deciding.some(({ name, namespace }) => policy === name || policy === `${namespace}/${name}`)) return;
  const names = [...new Set(deciding.map(({ namespace, name }) => `${namespace}/${name}`))];
  mismatches.push({
    path: ['policy'],
    expected: policy,
    actual: names.length > 0 ? names.join(', ') : unknown.length > 0 ? cannot : 'no policy decides',
  });
}

/** Policies that decided something on the way, by name. */
export function policiesOf({ steps, outcomes }: Explanation): { readonly name: string; readonly namespace: string }[] {
  return [
    ...steps.flatMap(({ origin, effect, policies = [] }: Step) => [
      ...(origin !== undefined && effect !== 'unknown' && POLICIES.has(origin.kind) ? [origin] : []),
      ...policies,
    ]),
    ...outcomes.flatMap(({ policies = [] }) => policies),
  ];
}
