import type { ExtAuthzJson } from '#envoy-api/envoy/extensions/filters/http/ext_authz/v3/ext_authz_pb.js';
import type { JwtAuthenticationJson } from '#envoy-api/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js';
import type { RBACJson } from '#envoy-api/envoy/extensions/filters/http/rbac/v3/rbac_pb.js';
import { typeOf } from '../listener.ts';
import { evaluateExtAuthz } from './ext-authz.ts';
import type { GuardState, GuardVerdict } from './guard.ts';
import { evaluateJwt } from './jwt.ts';
import { evaluateRbac } from './rbac.ts';

type Evaluate = (name: string, config: object, state: GuardState) => GuardVerdict;

const rbac: Evaluate = (name, config, state) => evaluateRbac(name, config as RBACJson, state);
const extAuthz: Evaluate = (_name, config, state) => evaluateExtAuthz(config as ExtAuthzJson, state);

/** Filters that authenticate and authorize, by the types of their configuration. */
const GUARDS: ReadonlyMap<string, Evaluate> = new Map([
  ['envoy.extensions.filters.http.rbac.v3.RBAC', rbac],
  ['envoy.extensions.filters.network.rbac.v3.RBAC', rbac],
  ['envoy.extensions.filters.http.ext_authz.v3.ExtAuthz', extAuthz],
  ['envoy.extensions.filters.network.ext_authz.v3.ExtAuthz', extAuthz],
  [
    'envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication',
    (_name, config, state) => evaluateJwt(config as JwtAuthenticationJson, state),
  ],
]);

/** What a filter that guards does; undefined for all other filters. */
export function evaluateGuard(filter: { name?: string; typedConfig?: object }, state: GuardState): GuardVerdict | undefined {
  return GUARDS.get(typeOf(filter.typedConfig))?.(filter.name ?? '', filter.typedConfig!, state);
}
