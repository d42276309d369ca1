import { isDeepStrictEqual } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Engine, echoBackend, get, type Setup, startEmbedded, startEnvoy } from './both-engines.ts';
import { ec, JWKS, otherRsa, rsa, type TokenParts, token } from './tokens.ts';

const test = suite('JWT authentication filter');
const HTTP = 'type.googleapis.com/envoy.extensions.filters.http';
const now = Math.floor(Date.now() / 1000);

function setup(backend: string): Setup {
  const localJwks = { inlineString: JWKS };
  const providers = {
    main: {
      issuer: 'main',
      localJwks,
      forwardPayloadHeader: 'x-payload',
      claimToHeaders: ['sub', 'n', 'f', 'b', 'o.in', 'o', 'l', 'z'].map((claimName) => ({
        claimName,
        headerName: `x-claim-${claimName.replace('.', '-')}`,
      })),
    },
    kept: {
      issuer: 'kept',
      localJwks,
      forward: true,
      payloadInMetadata: 'payload',
      headerInMetadata: 'header',
      normalizePayloadInMetadata: { spaceDelimitedClaims: ['scope', 'groups'] },
      forwardPayloadHeader: 'x-padded',
      padForwardPayloadHeader: true,
    },
    heard: { issuer: 'heard', localJwks, audiences: ['https://shop.test/', 'api'] },
    placed: {
      issuer: 'placed',
      localJwks,
      fromHeaders: [{ name: 'X-Jwt' }, { name: 'x-prefixed', valuePrefix: 'Token:' }],
      fromParams: ['tok'],
      fromCookies: ['ck'],
    },
    anybody: { localJwks },
    strict: {
      issuer: 'strict',
      localJwks,
      requireExpiration: true,
      maxLifetime: '3600s',
      subjects: { prefix: 'user-' },
      clockSkewSeconds: 5,
    },
    routed: { issuer: 'routed', localJwks, claimToHeaders: [{ headerName: 'x-tier', claimName: 'tier' }], clearRouteCache: true },
  };
  const of = (prefix: string, requires?: object): object => ({ match: { prefix }, ...(requires && { requires }) });
  const rules = [
    of('/open'),
    { match: { path: '/exact' }, requires: { providerName: 'main' } },
    { match: { safeRegex: { regex: '/re/[0-9]+' }, headers: [{ name: 'x-check', presentMatch: true }] }, requirementName: 'named' },
    of('/main', { providerName: 'main' }),
    of('/kept', { providerName: 'kept' }),
    of('/heard', { providerName: 'heard' }),
    of('/audience', { providerAndAudiences: { providerName: 'heard', audiences: ['special'] } }),
    of('/placed', { providerName: 'placed' }),
    of('/anybody', { providerName: 'anybody' }),
    of('/strict', { providerName: 'strict' }),
    of('/routed', { providerName: 'routed' }),
    of('/any', { requiresAny: { requirements: [{ providerName: 'main' }, { providerName: 'kept' }] } }),
    of('/one-or-none', { requiresAny: { requirements: [{ providerName: 'main' }, { providerName: 'kept' }, { allowMissing: {} }] } }),
    of('/whatever', { requiresAny: { requirements: [{ providerName: 'main' }, { allowMissingOrFailed: {} }] } }),
    of('/all', { requiresAll: { requirements: [{ providerName: 'kept' }, { providerName: 'placed' }] } }),
    of('/missing', { allowMissing: {} }),
    of('/failed', { allowMissingOrFailed: {} }),
  ];
  return {
    clusters: [{ name: 'backend', hosts: [backend] }],
    routes: [
      {
        match: { prefix: '/routed', headers: [{ name: 'x-tier', stringMatch: { exact: 'gold' } }] },
        directResponse: { status: 299, body: { inlineString: 'gold' } },
      },
      { match: { prefix: '/' }, route: { cluster: 'backend' } },
    ],
    filters: [
      {
        name: 'envoy.filters.http.jwt_authn',
        typedConfig: {
          '@type': `${HTTP}.jwt_authn.v3.JwtAuthentication`,
          providers,
          rules,
          requirementMap: { named: { providerName: 'main' } },
          bypassCorsPreflight: true,
        },
      },
    ],
    log: { metadata: '%DYNAMIC_METADATA(envoy.filters.http.jwt_authn)%' },
  };
}

const bearer = (text: string): string => `authorization: Bearer ${text}`;
const main = (parts: TokenParts = {}, where = '/main'): string => get(where, [bearer(token(parts))]);
const claims = (payload: object | string, where = '/main', iss = 'main'): string =>
  main({ payload: typeof payload === 'string' ? payload : { iss, ...payload } }, where);
const signedBy = (alg: string, kid?: string, key?: TokenParts['key']): string =>
  main({ header: { alg, ...(kid !== undefined && { kid }) }, ...(key && { key }) });
const good = token();
const [head, body, tail] = good.split('.') as [string, string, string];

/** What is asked, and the status that the documents have us expect; the rest is compared. */
const REQUESTS: readonly (readonly [string, number, string])[] = [
  ['no rule', 200, get('/elsewhere')],
  ['a rule without requirement', 200, get('/open')],
  ['no token', 401, get('/main')],
  ['no token, a query', 401, get('/main?a=b')],
  ['no token, a long path', 401, get(`/main/${'x'.repeat(400)}`)],
  ['an odd host', 401, get('/main', [], 'Shop.test:81')],
  ['a good token', 200, main()],
  ['exact path', 401, get('/exact')],
  ['beside the exact path', 200, get('/exact/')],
  ['a regex rule that does not apply', 200, get('/re/1')],
  ['a regex rule that applies', 401, get('/re/1', ['x-check: 1'])],
  ['a preflight', 200, get('/main', ['origin: http://a', 'access-control-request-method: PUT'], 'shop.test', 'OPTIONS')],
  ['no real preflight', 401, get('/main', ['origin: http://a'], 'shop.test', 'OPTIONS')],
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'].map((alg) => [alg, 200, signedBy(alg, 'rsa')] as const),
  ['ES256', 200, signedBy('ES256', 'ec')],
  ['ES384', 200, signedBy('ES384', 'ec384')],
  ['EdDSA', 200, signedBy('EdDSA', 'ed')],
  ['HS256', 200, signedBy('HS256', 'oct')],
  ['HS512 with a key for HS256', 401, signedBy('HS512', 'oct')],
  ['no kid', 200, signedBy('RS256')],
  ['no kid, EdDSA', 200, signedBy('EdDSA')],
  ['an unknown kid', 401, signedBy('RS256', 'nobody')],
  ['an empty kid', 200, signedBy('RS256', '')],
  ['the kid of another key', 401, signedBy('RS256', 'ec')],
  ['the kid of another key without alg', 401, signedBy('RS256', 'ec384')],
  ['a kid that is a path', 401, signedBy('HS256', '../../dev/null', Buffer.alloc(0))],
  ['a kid that is SQL', 401, signedBy('RS256', "' OR '1'='1")],
  ['a kid that is a number', 401, main({ header: { alg: 'RS256', kid: 1 } })],
  ['a kid that is null', 401, main({ header: { alg: 'RS256', kid: null } })],
  ['alg none', 401, main({ header: { alg: 'none' } })],
  [
    'alg none, no signature',
    401,
    get('/main', [
      bearer(
        `${token({ header: { alg: 'none' } })
          .split('.')
          .slice(0, 2)
          .join('.')}.`,
      ),
    ]),
  ],
  ['alg NONE', 401, main({ header: { alg: 'NONE', kid: 'rsa' } })],
  ['alg rs256', 401, main({ header: { alg: 'rs256', kid: 'rsa' } })],
  ['no alg', 401, main({ header: { kid: 'rsa' } })],
  ['alg is a list', 401, main({ header: { alg: ['RS256'] } })],
  [
    'HS256 with the public key as secret',
    401,
    signedBy('HS256', 'rsa', Buffer.from(rsa.publicKey.export({ format: 'pem', type: 'spki' }))),
  ],
  [
    'HS256 with the public key as secret, no kid',
    401,
    signedBy('HS256', undefined, Buffer.from(rsa.publicKey.export({ format: 'pem', type: 'spki' }))),
  ],
  [
    'a key of the header itself',
    401,
    main({ header: { alg: 'RS256', jwk: otherRsa.publicKey.export({ format: 'jwk' }) }, key: otherRsa.privateKey }),
  ],
  ['a strange key', 401, signedBy('RS256', 'rsa', otherRsa.privateKey)],
  ['a critical header', 200, main({ header: { alg: 'RS256', kid: 'rsa', crit: ['exp'] } })],
  ['an unknown critical header', 200, main({ header: { alg: 'RS256', kid: 'rsa', crit: ['b64'], b64: false } })],
  ['a changed payload', 401, get('/main', [bearer(`${head}.${Buffer.from('{"iss":"main","sub":"root"}').toString('base64url')}.${tail}`)])],
  ['a changed signature', 401, get('/main', [bearer(`${head}.${body}.${tail.slice(0, -4)}AAAA`)])],
  ['a signature that is cut', 401, get('/main', [bearer(`${head}.${body}.${tail.slice(0, -4)}`)])],
  ['two parts', 401, get('/main', [bearer(`${head}.${body}`)])],
  ['four parts', 401, get('/main', [bearer(`${good}.x`)])],
  ['dots at the end', 200, get('/main', [bearer(`${good}.`)])],
  ['no base64 in the header', 401, get('/main', [bearer(`!!!.${body}.${tail}`)])],
  ['no base64 in the payload', 401, get('/main', [bearer(`${head}.a!b.${tail}`)])],
  ['no base64 in the signature', 401, get('/main', [bearer(`${head}.${body}.a!b`)])],
  ['plain base64', 401, get('/main', [bearer(`${head}.${body}.${'+/'.repeat(20)}`)])],
  ['one digit too many', 401, get('/main', [bearer(`${head}.${body}.AAAAA`)])],
  ['padding', 200, get('/main', [bearer(`${head}.${body}.${tail}==`)])],
  ['wrong padding', 401, get('/main', [bearer(`${head}.${body}.${tail}=`)])],
  ['no JSON in the header', 401, get('/main', [bearer(token({ header: '{"alg":"RS256"' }))])],
  ['a list in the header', 401, get('/main', [bearer(token({ header: '["RS256"]' }))])],
  ['no JSON in the payload', 401, claims('iss=main')],
  ['a text in the payload', 401, claims('"main"')],
  ['nothing in the payload', 401, claims('{}')],
  ['claims twice', 401, claims('{"iss":"other","iss":"main"}')],
  ['claims twice, the other way', 401, claims('{"iss":"main","iss":"other"}')],
  [
    'no UTF-8 in the payload',
    401,
    get('/main', [bearer(`${head}.${Buffer.from('{"iss":"main","x":"\xff"}', 'latin1').toString('base64url')}.${tail}`)]),
  ],
  ['another issuer', 401, claims({}, '/main', 'other')],
  ['an issuer that is a number', 401, claims('{"iss":1}')],
  ['no issuer', 401, claims({ iss: undefined })],
  ['a provider without issuer', 200, claims({}, '/anybody', 'whoever')],
  ['expired', 401, claims({ exp: now - 120 })],
  ['expired, within the skew', 200, claims({ exp: now - 30 })],
  ['exp 0', 200, claims({ exp: 0 })],
  ['exp is a text', 401, claims({ exp: String(now + 100) })],
  ['exp is negative', 401, claims({ exp: -1 })],
  ['exp is huge', 401, claims('{"iss":"main","exp":1e30}')],
  ['exp is a fraction', 200, claims({ exp: now + 1000.5 })],
  ['exp is null', 401, claims({ exp: null })],
  ['not yet', 401, claims({ nbf: now + 120 })],
  ['not yet, within the skew', 200, claims({ nbf: now + 30 })],
  ['nbf is a text', 401, claims({ nbf: 'soon' })],
  ['issued in the future', 200, claims({ iat: now + 5000 })],
  ['iat is a text', 401, claims({ iat: 'now' })],
  ['sub is a number', 401, claims({ sub: 1 })],
  ['jti is a number', 401, claims({ jti: 1 })],
  ['a huge token', 200, claims({ x: 'y'.repeat(12_000) })],
  ['claims to headers', 200, claims({ sub: 'jö', n: 12, f: 1.5, b: true, o: { in: 'nested' }, l: [1, 'a'], z: null })],
  ['large and negative numbers', 200, claims({ n: -3, f: 1e21 })],
  ['headers that only the filter may set', 200, get('/main', [bearer(good), 'x-payload: mine', 'x-claim-sub: root'])],
  ['those without a token', 401, get('/main', ['x-payload: mine'])],
  ['Bearer in small letters', 401, get('/main', [`authorization: bearer ${good}`])],
  ['two blanks', 200, get('/main', [`authorization: Bearer   ${good}`])],
  ['a text before', 200, get('/main', [`authorization: xBearer ${good}`])],
  ['a text behind', 401, get('/main', [`authorization: Bearer ${good} more`])],
  ['Bearer alone', 401, get('/main', ['authorization: Bearer '])],
  ['Basic', 401, get('/main', ['authorization: Basic YTpi'])],
  ['two headers, both good: Envoy joins them', 401, get('/main', [bearer(good), bearer(good)])],
  ['two headers, the first bad', 401, get('/main', [bearer('x.y.z'), bearer(good)])],
  ['two headers, the second bad', 401, get('/main', [bearer(good), bearer('x.y.z')])],
  ['access_token', 200, get(`/main?a=b&access_token=${good}&d`)],
  ['access_token alone', 200, get(`/main?access_token=${good}`)],
  ['a good header and a bad parameter', 401, get('/main?access_token=x.y.z', [bearer(good)])],
  ['a good parameter and a bad header', 401, get(`/main?access_token=${good}`, [bearer('x.y.z')])],
  ['access_token twice', 200, get(`/main?access_token=${good}&access_token=x`)],
  ['kept', 200, claims({ scope: 'read  write', groups: 'a', other: 'b c' }, '/kept', 'kept')],
  ['kept, lists', 200, claims({ scope: ['read'], aud: ['a'], exp: now + 100, deep: { a: [1, null, true] } }, '/kept', 'kept')],
  ['no audience', 403, claims({}, '/heard', 'heard')],
  ['the audience', 200, claims({ aud: 'api' }, '/heard', 'heard')],
  ['one of the audiences', 200, claims({ aud: ['x', 'api'] }, '/heard', 'heard')],
  ['another audience', 403, claims({ aud: 'apis' }, '/heard', 'heard')],
  ['an audience without its slash', 200, claims({ aud: 'https://shop.test' }, '/heard', 'heard')],
  ['an audience of another scheme', 200, claims({ aud: 'http://shop.test' }, '/heard', 'heard')],
  ['an audience that is a number', 401, claims({ aud: 1 }, '/heard', 'heard')],
  ['audiences with a number', 401, claims({ aud: ['api', 1] }, '/heard', 'heard')],
  ["a requirement's own audience", 200, claims({ aud: 'special' }, '/audience', 'heard')],
  ["the provider's audience where the requirement has its own", 403, claims({ aud: 'api' }, '/audience', 'heard')],
  ['a wrong place', 401, claims({}, '/placed', 'placed')],
  ['a header without prefix', 200, get('/placed', [`x-jwt: ${token({ payload: { iss: 'placed' } })}`])],
  ['a header with its prefix', 200, get('/placed', [`x-prefixed: Token: ${token({ payload: { iss: 'placed' } })}`])],
  ['a header without its prefix', 401, get('/placed', [`x-prefixed: ${token({ payload: { iss: 'placed' } })}`])],
  ['a parameter', 200, get(`/placed?tok=${token({ payload: { iss: 'placed' } })}&x=1`)],
  ['a cookie', 200, get('/placed', [`cookie: a=b; ck=${token({ payload: { iss: 'placed' } })}`])],
  ['a header and a bad cookie', 401, get('/placed', [`x-jwt: ${token({ payload: { iss: 'placed' } })}`, 'cookie: ck=x'])],
  ['strict', 200, claims({ sub: 'user-1', exp: now + 100 }, '/strict', 'strict')],
  ['strict, no exp', 401, claims({ sub: 'user-1' }, '/strict', 'strict')],
  ['strict, too long', 401, claims({ sub: 'user-1', exp: now + 7200 }, '/strict', 'strict')],
  ['strict, another subject', 401, claims({ sub: 'admin', exp: now + 100 }, '/strict', 'strict')],
  ['strict, beyond its skew', 401, claims({ sub: 'user-1', exp: now - 10 }, '/strict', 'strict')],
  ['a route by a claim', 299, claims({ tier: 'gold' }, '/routed', 'routed')],
  ['another route by a claim', 200, claims({ tier: 'tin' }, '/routed', 'routed')],
  ['any, the first', 200, main({}, '/any')],
  ['any, the second', 200, claims({ scope: 'a b' }, '/any', 'kept')],
  ['any, none', 401, get('/any')],
  ['any, another issuer', 401, claims({}, '/any', 'other')],
  ['any, expired', 401, claims({ exp: 5 }, '/any', 'kept')],
  ['any or none: none', 200, get('/one-or-none')],
  ['any or none: bad', 401, get('/one-or-none', [bearer('x.y.z')])],
  ['any or none: another issuer', 401, claims({}, '/one-or-none', 'other')],
  ['whatever: bad', 200, get('/whatever', [bearer('x.y.z')])],
  ['whatever: none', 200, get('/whatever', ['x-payload: mine'])],
  ['all', 200, get(`/all?tok=${token({ payload: { iss: 'placed' } })}`, [bearer(token({ payload: { iss: 'kept' } }))])],
  ['all but one', 401, get('/all', [bearer(token({ payload: { iss: 'kept' } }))])],
  ['missing: none', 200, get('/missing', ['x-payload: mine'])],
  ['missing: good', 200, claims({ scope: 'x y' }, '/missing', 'kept')],
  ['missing: bad', 401, get('/missing', [bearer('x.y.z')])],
  ['missing: bad then good', 401, get('/missing', [bearer('x.y.z'), bearer(good)])],
  ['missing: good then bad', 401, get('/missing', [bearer(good), bearer('x.y.z')])],
  ['missing: anybody', 200, claims({}, '/missing', 'whoever')],
  ['failed: bad', 200, get('/failed', [bearer('x.y.z')])],
  ['failed: good', 200, claims({ scope: 'x y' }, '/failed', 'kept')],
  ['a wrong curve', 401, signedBy('ES384', 'ec384', ec.privateKey)],
];

test('tokens are accepted and refused as by Envoy', async () => {
  const { host, server } = await echoBackend();
  const engines: Engine[] = [];
  try {
    const embedded = await startEmbedded(setup(host));
    engines.push(embedded);
    const envoy = await startEnvoy(setup(host));
    if (envoy !== undefined) engines.push(envoy);
    const wrong: string[] = [];
    for (const [title, status, request] of REQUESTS) {
      const [answer, theirs] = await Promise.all([embedded.send(request), envoy?.send(request)]);
      if (answer.status !== status)
        wrong.push(
          `${title}: ${answer.status} ${answer.body}, ${status} expected${theirs === undefined ? '' : `, Envoy ${theirs.status} ${theirs.body}`}`,
        );
      if (theirs !== undefined && !isDeepStrictEqual(answer, theirs))
        wrong.push(`${title}: ${JSON.stringify(answer)}\n  Envoy: ${JSON.stringify(theirs)}`);
    }
    assert.is(wrong.join('\n'), '');
    assert.ok(REQUESTS.length >= 60);
    for (const stat of ['allowed', 'denied', 'cors_preflight_bypassed']) {
      const name = `http.test.jwt_authn.${stat}`;
      if (envoy !== undefined) assert.is(await embedded.stat(name), await envoy.stat(name), name);
    }
  } finally {
    for (const engine of engines) await engine.close();
    server.close();
  }
});

test.run();
