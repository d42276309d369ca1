import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { boolean, duration, list, message, string, strings } from '../schema.ts';
import { PolicyTargetReference, policyTarget, targetOrSelector } from '../selector.ts';

const notEmpty = { minLength: 1 };

export const JWTHeader = message(
  'A header that holds a token.',
  { name: string('Its name.', notEmpty), prefix: string('What stands before the token, such as `Bearer `, space included.') },
  { required: ['name'] },
);

export const ClaimToHeader = message(
  'A claim that is copied to a header.',
  {
    header: string('Name of the header; what a client sends in it is dropped.', { minLength: 1, pattern: '^[-_A-Za-z0-9]+$' }),
    claim: string('The claim: text, number or boolean; inner ones by dots.', notEmpty),
  },
  { required: ['header', 'claim'] },
);

export const JWTRule = message(
  'Tokens of one issuer.',
  {
    issuer: string('The issuer: claim `iss`.', notEmpty),
    audiences: strings('Audiences of which claim `aud` must hold one. Default: not checked.', { items: notEmpty }),
    jwksUri: string("URL of the issuer's public keys. Default: found by OpenID discovery.", { minLength: 1, maxLength: 2048 }),
    jwks: string("The issuer's public keys (JWKS, JSON); not together with `jwksUri`."),
    fromHeaders: list(JWTHeader, 'Headers that the token is looked for in. Default: `Authorization: Bearer`.'),
    fromParams: strings('Query parameters that the token is looked for in. Default: `access_token`.', { items: notEmpty }),
    outputPayloadToHeader: string("Header that the token's payload is sent on in, base64url."),
    fromCookies: strings('Cookies that the token is looked for in.', { items: notEmpty }),
    forwardOriginalToken: boolean('Sends the token on. Default: false.'),
    outputClaimToHeaders: list(ClaimToHeader, 'Claims that are copied to headers.'),
    timeout: duration('How long fetching the keys may take. Default: 5s.'),
    spaceDelimitedClaims: strings('Further claims that are split at spaces into lists, as `scope` and `permission` are.', {
      maxItems: 64,
      items: notEmpty,
    }),
  },
  { oneOf: [['jwksUri', 'jwks']] },
);

export const RequestAuthentication = message(
  'Which tokens (JWT) some workloads know. A bad token is refused; a missing one is not.',
  {
    ...policyTarget,
    targetRef: PolicyTargetReference,
    jwtRules: list(JWTRule, 'Tokens that are known, by issuer.', { maxItems: 4096 }),
  },
  targetOrSelector,
);

export type JWTRule = Static<typeof JWTRule>;
export type RequestAuthentication = Static<typeof RequestAuthentication>;

export const requestAuthentication = defineKind({
  kind: 'RequestAuthentication',
  group: 'security.istio.io',
  versions: ['v1', 'v1beta1'],
  plural: 'requestauthentications',
  shortNames: ['ra'],
  scope: 'Namespaced',
  description: 'Says which tokens (JWT) workloads know, and how they are checked.',
  payload: 'spec',
  schema: RequestAuthentication,
  unknownFields: 'refuse',
});
