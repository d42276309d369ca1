import type { JwtAuthenticationJson } from '#envoy-api/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js';
import type { RouteRequest } from '../routing/request.ts';
import { type JwtProblem, MISSING, WRONG_AUDIENCE } from './parse-jwt.ts';

/** Envoy: so much of a request's URL is told as realm. */
const REALM_LENGTH = 256;

/** The answer to a request without a good token. */
export interface JwtDenial {
  readonly status: number;
  readonly body: string;
  /** Envoy's %RESPONSE_CODE_DETAILS%. */
  readonly details: string;
  /** Flat. */
  readonly headers: readonly string[];
}

/** What Envoy answers; `realm` is that of the request as it came. */
export function jwtDenial({ stripFailureResponse }: JwtAuthenticationJson, problem: JwtProblem, realm: string): JwtDenial {
  const status = problem === WRONG_AUDIENCE ? 403 : 401;
  const details = `jwt_authn_access_denied{${problem.replace(/\s/g, '_')}}`;
  if (stripFailureResponse === true) return { status, body: '', details, headers: [] };
  const challenge = `Bearer realm="${realm}"${problem === MISSING ? '' : ', error="invalid_token"'}`;
  return { status, body: problem, details, headers: ['www-authenticate', challenge] };
}

/** The request's URL, as a challenge names it. */
export function realmOf(request: RouteRequest): string {
  const path = request.firstHeader('x-envoy-original-path') ?? request.path;
  return `${request.forwardedProto}://${request.authority}${path.slice(0, REALM_LENGTH)}`;
}

/** A CORS preflight, which browsers send without tokens. */
export function isPreflight(request: RouteRequest): boolean {
  return request.method === 'OPTIONS' && Boolean(request.header('origin')) && Boolean(request.header('access-control-request-method'));
}
