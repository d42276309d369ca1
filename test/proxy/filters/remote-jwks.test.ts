import type { IncomingMessage } from 'node:http';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { RemoteJwksJson } from '#envoy-api/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js';
import type { SecretJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { FETCH_FAILED, remoteKeys } from '../../../agent/proxy/filters/jwt/remote-keys.ts';
import { createStatsRegistry } from '../../../agent/proxy/stats/registry.ts';
import { ProblemList } from '../../../src/routing/problems.ts';
import { until } from '../../support/http.ts';
import { type ProxyUnderTest, startEmbedded, startEnvoy } from '../tls/both.ts';
import { cluster, http, upstream } from '../tls/configs.ts';
import { caSecret, createPki } from '../tls/pki.ts';
import { fail, give, type KeyServer, keyServer, newKeys, newToken, oldKeys, oldToken } from './key-server.ts';
import { jwk, otherRsa, rsa } from './tokens.ts';

const test = suite('remote JWKS');
const HTTP = 'type.googleapis.com/envoy.extensions.filters.http';

interface Fetching {
  remote?: Partial<RemoteJwksJson>;
  keys: ClusterJson;
  secrets?: SecretJson[];
}

/** A proxy whose tokens are verified with fetched keys. */
function configOf({ remote, keys, secrets = [] }: Fetching): Parameters<typeof startEnvoy>[0] {
  const remoteJwks = { httpUri: { uri: 'https://keys.test:8443/a/jwks?x=1', cluster: 'keys', timeout: '2s' }, ...remote };
  const jwtAuthn = {
    name: 'envoy.filters.http.jwt_authn',
    typedConfig: {
      '@type': `${HTTP}.jwt_authn.v3.JwtAuthentication`,
      providers: { main: { issuer: 'main', remoteJwks } },
      rules: [{ match: { prefix: '/' }, requires: { providerName: 'main' } }],
    },
  };
  const router = { name: 'envoy.filters.http.router', typedConfig: { '@type': `${HTTP}.router.v3.Router` } };
  const routes = [{ match: { prefix: '/' }, directResponse: { status: 200 } }];
  const listener = { filterChains: [{ filters: [http(routes, { httpFilters: [jwtAuthn, router] })] }] };
  return { listener, clusters: [keys], secrets };
}

async function ask(proxy: ProxyUnderTest, text: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${proxy.port}/`, { headers: { authorization: `Bearer ${text}` } });
  return `${response.status} ${await response.text()}`.trim();
}

/** Runs `look` on the engines, each with a server of keys of its own. */
async function onEngines(
  answer: KeyServer['answer'],
  fetching: (port: number) => Fetching,
  look: (proxy: ProxyUnderTest, server: KeyServer) => Promise<void>,
  { engines = [startEmbedded, startEnvoy], tls }: { engines?: (typeof startEnvoy)[]; tls?: { cert: string; key: string } } = {},
): Promise<void> {
  for (const start of engines) {
    const server = await keyServer(answer, tls);
    let proxy: ProxyUnderTest | undefined;
    try {
      proxy = await start(configOf(fetching(server.port)));
      if (proxy !== undefined) await look(proxy, server);
    } finally {
      await proxy?.close();
      server.close();
    }
  }
}

const plain = (port: number): Fetching => ({ keys: cluster('keys', port) });

test('keys are fetched when the first token comes, and kept', async () => {
  await onEngines(give(oldKeys), plain, async (proxy, { asked }) => {
    assert.is(asked.length, 0, proxy.name);
    assert.is(await ask(proxy, oldToken), '200', proxy.name);
    assert.is(await ask(proxy, oldToken), '200', proxy.name);
    assert.is(asked.length, 1, proxy.name);
    const [{ method, url, headers }] = asked as [IncomingMessage];
    assert.equal([method, url, headers.host], ['GET', '/a/jwks?x=1', 'keys.test:8443'], proxy.name);
    assert.is(await proxy.counter('http.http.jwt_authn.jwks_fetch_success'), 1, proxy.name);
    assert.is(await proxy.counter('http.http.jwt_authn.jwks_fetch_failed'), 0, proxy.name);
  });
});

test('without keys there is no way in', async () => {
  const answers: Readonly<Record<string, KeyServer['answer']>> = {
    'an error': fail,
    'not found': (response) => response.writeHead(404).end(oldKeys),
    'a redirect': (response) => response.writeHead(302, { location: '/other' }).end(),
    'no content': (response) => response.writeHead(204).end(),
    'no body': give(''),
    'no JSON': give('{'),
    'no keys': give('{"keys":[]}'),
    'keys that nobody knows': give('{"keys":[{"kty":"QQ"}]}'),
    'a list': give('[]'),
    'a broken answer': (response) => response.socket!.destroy(),
    'half an answer': (response) =>
      response.writeHead(200, { 'content-length': '1000' }).write('{"keys"', () => response.socket!.destroy()),
  };
  for (const [what, answer] of Object.entries(answers)) {
    const said: string[] = [];
    await onEngines(answer, plain, async (proxy, { asked }) => {
      said.push(await ask(proxy, oldToken));
      assert.is(asked.length, 1, `${proxy.name}: ${what}`);
      assert.is(await proxy.counter('http.http.jwt_authn.jwks_fetch_failed'), 1, `${proxy.name}: ${what}`);
      asked.length = 0;
    });
    assert.is(said[0], `401 ${FETCH_FAILED}`, what);
    if (said.length > 1) assert.is(said[0], said[1], what);
  }
});

test('a server that cannot be reached, and one that is slow', async () => {
  const silent: KeyServer['answer'] = () => undefined;
  const slow = (port: number): Fetching => ({
    ...plain(port),
    remote: { httpUri: { uri: 'http://keys.test', cluster: 'keys', timeout: '0.2s' } },
  });
  await onEngines(silent, slow, async (proxy) => {
    assert.is(await ask(proxy, oldToken), `401 ${FETCH_FAILED}`, proxy.name);
  });
  await onEngines(
    silent,
    () => plain(1),
    async (proxy) => {
      assert.is(await ask(proxy, oldToken), `401 ${FETCH_FAILED}`, proxy.name);
    },
  );
});

test('a failing server is asked again as often as the policy says', async () => {
  const retrying = (port: number): Fetching => ({
    ...plain(port),
    remote: { retryPolicy: { numRetries: 2, retryBackOff: { baseInterval: '0.01s', maxInterval: '0.05s' } } },
  });
  await onEngines(
    (response, index) => (index < 2 ? fail(response, index) : response.end(oldKeys)),
    retrying,
    async (proxy, { asked }) => {
      assert.is(await ask(proxy, oldToken), '200', proxy.name);
      assert.is(asked.length, 3, proxy.name);
    },
  );
  await onEngines(fail, retrying, async (proxy, { asked }) => {
    assert.is(await ask(proxy, oldToken), `401 ${FETCH_FAILED}`, proxy.name);
    assert.is(asked.length, 3, proxy.name);
  });
});

test('after a failure the next token asks anew', async () => {
  await onEngines(fail, plain, async (proxy, server) => {
    assert.is(await ask(proxy, oldToken), `401 ${FETCH_FAILED}`, proxy.name);
    server.answer = give(oldKeys);
    assert.is(await ask(proxy, oldToken), '200', proxy.name);
  });
});

test('new keys are in force once the old ones have expired', async () => {
  const short = (port: number): Fetching => ({ ...plain(port), remote: { cacheDuration: '0.2s' } });
  await onEngines(give(oldKeys), short, async (proxy, server) => {
    assert.is(await ask(proxy, oldToken), '200', proxy.name);
    server.answer = give(newKeys);
    for (const end = Date.now() + 10_000; (await ask(proxy, newToken)) !== '200'; ) assert.ok(Date.now() < end, proxy.name);
    assert.is(await ask(proxy, oldToken), "401 Jwks doesn't have key to match kid or alg from Jwt", proxy.name);
  });
});

test('over TLS, by the roots of a secret', async () => {
  const pki = await createPki();
  const other = await createPki();
  const tls = await pki.issue({ dns: ['keys.test'] });
  const secured =
    (ca: string, name = 'keys.test') =>
    (port: number): Fetching => {
      const validation = {
        combinedValidationContext: {
          defaultValidationContext: { matchTypedSubjectAltNames: [{ sanType: 'DNS' as const, matcher: { exact: name } }] },
          validationContextSdsSecretConfig: { name: 'file-root:system' },
        },
      };
      return {
        keys: cluster('keys', port, { transportSocket: upstream(validation, { sni: 'keys.test' }) }),
        secrets: [caSecret('file-root:system', ca)],
      };
    };
  const expect = (said: string) => async (proxy: ProxyUnderTest) => assert.is(await ask(proxy, oldToken), said, proxy.name);
  await onEngines(give(oldKeys), secured(pki.ca), expect('200'), { tls });
  await onEngines(give(oldKeys), secured(other.ca), expect(`401 ${FETCH_FAILED}`), { tls });
  await onEngines(give(oldKeys), secured(pki.ca, 'other.test'), expect(`401 ${FETCH_FAILED}`), { tls });
});

test('many requests, one fetch; keys that are too large are none', async () => {
  const engines = [startEmbedded];
  let release = (): void => undefined;
  const held: KeyServer['answer'] = (response) => {
    release = () => response.end(oldKeys);
  };
  await onEngines(
    held,
    plain,
    async (proxy, { asked }) => {
      const answers = Array.from({ length: 50 }, (_, i) => ask(proxy, i % 2 === 0 ? oldToken : newToken));
      await until('all of them', async () => (await proxy.counter('http.http.downstream_rq_total')) === 50);
      release();
      const got = await Promise.all(answers);
      assert.is(got.filter((one) => one === '200').length, 25);
      assert.is(got.filter((one) => one.startsWith("401 Jwks doesn't have key")).length, 25);
      assert.is(asked.length, 1);
    },
    { engines },
  );
  const large = JSON.stringify({ keys: [jwk(rsa.publicKey, { kid: 'old' })], more: 'x'.repeat(5 * 1024 * 1024) });
  await onEngines(give(large), plain, async (proxy) => assert.is(await ask(proxy, oldToken), `401 ${FETCH_FAILED}`), { engines });
  const many = JSON.stringify({
    keys: [...Array.from({ length: 2000 }, (_, i) => jwk(otherRsa.publicKey, { kid: `k${i}` })), jwk(rsa.publicKey, { kid: 'old' })],
  });
  await onEngines(give(many), plain, async (proxy) => assert.is(await ask(proxy, oldToken), '200'), { engines });
});

test('what a fetch cannot do is refused', () => {
  const httpUri = { uri: 'http://a', cluster: 'c', timeout: '1s' };
  const problems = (json: RemoteJwksJson): string => {
    const found = new ProblemList();
    const stats = createStatsRegistry();
    remoteKeys(json, 'r', { success: stats.counter('s'), failed: stats.counter('f') }, found);
    return found.all.map(({ message }) => message).join('; ');
  };
  assert.is(problems({ httpUri }), '');
  assert.match(problems({ httpUri: { ...httpUri, timeout: '0s' } }), /timeout.*above 0/);
  assert.match(problems({ httpUri: { ...httpUri, cluster: '' } }), /cluster.*is required/);
  assert.match(problems({ httpUri: { ...httpUri, uri: '' } }), /no URL/);
  assert.match(problems({ httpUri, retryPolicy: { retryOn: '5xx' } }), /retryOn.*not supported/);
});

test.run();
