import { isDeepStrictEqual } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Engine, echoBackend, get, type Setup, startEmbedded, startEnvoy } from './both-engines.ts';
import { ATTACKS, STRICTER } from './jwt-attacks.ts';
import { bearer, REQUESTS } from './jwt-requests.ts';
import { JWKS, token } from './tokens.ts';

const test = suite('JWT authentication filter');
const HTTP = 'type.googleapis.com/envoy.extensions.filters.http';

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
    of('/routed/or-none', { requiresAny: { requirements: [{ providerName: 'routed' }, { allowMissing: {} }] } }),
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

test('tokens are accepted and refused as by Envoy', async () => {
  const { host, server } = await echoBackend();
  const engines: Engine[] = [];
  try {
    const embedded = await startEmbedded(setup(host));
    engines.push(embedded);
    const envoy = await startEnvoy(setup(host));
    if (envoy !== undefined) engines.push(envoy);
    const wrong: string[] = [];
    for (const [title, status, request] of [...REQUESTS, ...ATTACKS]) {
      const [answer, theirs] = await Promise.all([embedded.send(request), envoy?.send(request)]);
      if (answer.status !== status)
        wrong.push(
          `${title}: ${answer.status} ${answer.body}, ${status} expected${theirs === undefined ? '' : `, Envoy ${theirs.status} ${theirs.body}`}`,
        );
      if (theirs !== undefined && !isDeepStrictEqual(answer, theirs))
        wrong.push(`${title}: ${JSON.stringify(answer)}\n  Envoy: ${JSON.stringify(theirs)}`);
    }
    assert.is(wrong.join('\n'), '');
    assert.ok(REQUESTS.length + ATTACKS.length >= 200);
    for (const stat of ['allowed', 'denied', 'cors_preflight_bypassed']) {
      const name = `http.test.jwt_authn.${stat}`;
      if (envoy !== undefined) assert.is(await embedded.stat(name), await envoy.stat(name), name);
    }
    for (const [title, request, body = 'Jwt header [crit] is not supported'] of STRICTER) {
      const [answer, theirs] = await Promise.all([embedded.send(request), envoy?.send(request)]);
      assert.equal([answer.status, answer.body], [401, body], title);
      assert.is(theirs?.status ?? 200, 200, `${title}: Envoy has changed`);
    }
    // A header that only the filter may set decides about no route. Envoy goes by it, where it has nothing to put in its place.
    const forged = ['x-tier: gold'];
    for (const [request, expected] of [
      [get('/routed', [bearer(token({ payload: { iss: 'routed' } })), ...forged]), 299],
      [get('/routed/or-none', forged), 299],
      [get('/routed', [bearer(token({ payload: { iss: 'routed', tier: 'tin' } })), ...forged]), 200],
    ] as const) {
      const answer = await embedded.send(request);
      assert.equal([answer.status, answer.seen?.headers['x-tier']], [200, expected === 200 ? 'tin' : undefined], request);
      if (envoy !== undefined) assert.is((await envoy.send(request)).status, expected, `Envoy has changed: ${request}`);
    }
  } finally {
    for (const engine of engines) await engine.close();
    server.close();
  }
});

test.run();
