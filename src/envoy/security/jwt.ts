import type {
  JwtAuthenticationJson,
  JwtProviderJson,
  JwtRequirementJson,
} from '#envoy-api/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js';
import type { HttpFilterJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { parseDuration } from '../../config/duration.ts';
import type { JWTRule } from '../../config/kinds/security.ts';
import { jwtRules } from '../../mesh/security/request-authentications.ts';
import { typed } from '../any.ts';
import type { BuildContext } from '../context.ts';
import { envoyDuration } from '../duration.ts';
import { JWT_FILTER, PAYLOAD } from './claim-matchers.ts';
import { hasUsableKey, NOBODYS_KEYS } from './jwks.ts';
import { jwksTarget } from './jwks-target.ts';

/** Lists in one text, as OAuth has them (RFC 8693 4.2). */
const SPACE_DELIMITED = ['permission', 'scope'];
/** How long fetched keys are used, and how long fetching may take (Istio). */
const CACHED = '300s';
const FETCH_TIMEOUT = '5s';

type Keys = Pick<JwtProviderJson, 'localJwks' | 'remoteJwks'>;

const nobodys: Keys = { localJwks: { inlineString: NOBODYS_KEYS } };

function keysOf({ mesh, scope }: BuildContext, { jwks, jwksUri, timeout }: JWTRule): Keys {
  if (jwks) return hasUsableKey(jwks) ? { localJwks: { inlineString: jwks } } : nobodys;
  const target = jwksUri ? jwksTarget(mesh, scope, jwksUri) : undefined;
  if (target === undefined) return nobodys;
  const ms = timeout === undefined ? undefined : parseDuration(timeout);
  return {
    remoteJwks: {
      httpUri: { uri: jwksUri!, cluster: target.cluster, timeout: ms ? envoyDuration(ms) : FETCH_TIMEOUT },
      cacheDuration: CACHED,
    },
  };
}

function provider(context: BuildContext, rule: JWTRule): JwtProviderJson {
  const { fromHeaders = [], fromParams = [], fromCookies = [], outputClaimToHeaders = [], spaceDelimitedClaims = [] } = rule;
  return {
    ...(rule.issuer && { issuer: rule.issuer }),
    ...(rule.audiences?.length && { audiences: rule.audiences }),
    ...keysOf(context, rule),
    ...(rule.forwardOriginalToken && { forward: true }),
    ...(rule.outputPayloadToHeader && { forwardPayloadHeader: rule.outputPayloadToHeader }),
    ...(outputClaimToHeaders.length > 0 && {
      claimToHeaders: outputClaimToHeaders.map(({ header, claim }) => ({ headerName: header, claimName: claim })),
    }),
    ...(fromHeaders.length > 0 && {
      fromHeaders: fromHeaders.map(({ name, prefix }) => ({ name, ...(prefix && { valuePrefix: prefix }) })),
    }),
    ...(fromParams.length > 0 && { fromParams }),
    ...(fromCookies.length > 0 && { fromCookies }),
    payloadInMetadata: PAYLOAD,
    normalizePayloadInMetadata: { spaceDelimitedClaims: [...new Set([...SPACE_DELIMITED, ...spaceDelimitedClaims])] },
    // Routes may be by claims, which are known only now.
    ...(context.proxy.type === 'router' && { clearRouteCache: true }),
  };
}

const allowMissing: JwtRequirementJson = { allowMissing: {} };
const anyOf = (requirements: JwtRequirementJson[]): JwtRequirementJson => ({ requiresAny: { requirements } });
const allOf = (requirements: JwtRequirementJson[]): JwtRequirementJson => ({ requiresAll: { requirements } });

/** A request may come without a token; one that is there must be good. */
function requirement(names: readonly string[]): JwtRequirementJson {
  const [first = ''] = names;
  if (names.length === 1) return anyOf([{ providerName: first }, allowMissing]);
  return anyOf([
    ...names.map((providerName) => ({ providerName })),
    allOf(names.map((providerName) => anyOf([{ providerName }, allowMissing]))),
  ]);
}

/** The filter that checks tokens for all RequestAuthentications of a proxy; undefined when there are none. */
export function jwtFilter(context: BuildContext): HttpFilterJson | undefined {
  const rules = jwtRules(context.mesh, context.proxy);
  if (rules.length === 0) return undefined;
  const providers = Object.fromEntries(rules.map(({ rule }, i) => [`origins-${i}`, provider(context, rule)]));
  return {
    name: JWT_FILTER,
    typedConfig: typed<JwtAuthenticationJson>('envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication', {
      providers,
      rules: [{ match: { prefix: '/' }, requires: requirement(Object.keys(providers)) }],
      bypassCorsPreflight: true,
    }),
  };
}
