import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ExchangeCall, verifyWith } from '../../../agent/proxy/filters/jwt/key-source.ts';
import { type KeySource, remoteKeys } from '../../../agent/proxy/filters/jwt/remote-keys.ts';
import { createStatsRegistry } from '../../../agent/proxy/stats/registry.ts';
import { createClusterManager } from '../../../agent/proxy/upstream/cluster-manager.ts';
import type { Jwks } from '../../../src/jwt/jwks.ts';
import { type Jwt, parseJwt } from '../../../src/jwt/parse-jwt.ts';
import { ProblemList } from '../../../src/routing/problems.ts';
import { cluster } from '../tls/configs.ts';
import { fail, give, type KeyServer, keyServer, newKeys, newToken, oldKeys, oldToken } from './key-server.ts';
import { otherRsa, token } from './tokens.ts';

const test = suite('rollover of keys');

/** The keys of a source whose clock is set by hand. */
interface ClockedSource {
  ids(): Promise<string>;
  /** False: nothing is fetched. */
  renew(): Promise<string> | false;
  /** What is wrong with a token. */
  verify(token: string): Promise<string | undefined>;
  forward(ms: number): void;
}

async function withClock(look: (source: ClockedSource, server: KeyServer) => Promise<void>): Promise<void> {
  const server = await keyServer(give(oldKeys));
  const stats = createStatsRegistry();
  const clusters = createClusterManager({ stats, log() {} });
  clusters.update([cluster('keys', server.port)], []);
  let now = 1000;
  const problems = new ProblemList();
  const remote = { httpUri: { uri: 'http://keys.test/', cluster: 'keys', timeout: '2s' }, cacheDuration: '300s' };
  const counters = { success: stats.counter('s'), failed: stats.counter('f') };
  const source: KeySource = remoteKeys(remote, 'remoteJwks', counters, problems, () => now);
  assert.equal(problems.all, []);
  const text = (keys: Jwks | string): string => (typeof keys === 'string' ? keys : keys.map(({ kid }) => kid).join());
  try {
    await look(
      {
        ids: () => new Promise((resolve) => source.keys(clusters, (keys) => resolve(text(keys)))),
        renew() {
          let resolve: (text: string) => void;
          const found = new Promise<string>((done) => {
            resolve = done;
          });
          return source.renew(clusters, (keys) => resolve(text(keys))) ? found : false;
        },
        verify: (text) =>
          new Promise((resolve) => {
            const call = { exchange: { done: false, manager: { clusters } } } as unknown as ExchangeCall;
            verifyWith(source)(parseJwt(text) as Jwt, call, resolve);
          }),
        forward(ms) {
          now += ms;
        },
      },
      server,
    );
  } finally {
    await clusters.close();
    server.close();
  }
}

test('a token with an unknown key has the keys fetched again, but not twice within 30 seconds', async () => {
  await withClock(async (source, server) => {
    assert.is(await source.ids(), 'old');
    assert.is(source.renew(), false, 'they are fresh');
    source.forward(29_999);
    assert.is(source.renew(), false);
    source.forward(2);
    server.answer = give(newKeys);
    const both = [source.renew(), source.renew()];
    assert.equal(await Promise.all(both), ['new', 'new'], 'the second one waits for the first');
    assert.is(server.asked.length, 2);
    assert.is(source.renew(), false);
    assert.is(await source.ids(), 'new');
    assert.is(server.asked.length, 2);
  });
});

test('a new key is found by tokens that name it, and by ones that name none', async () => {
  const nameless = token({ header: { alg: 'RS256' }, key: otherRsa.privateKey });
  for (const text of [newToken, nameless]) {
    await withClock(async (source, server) => {
      assert.is(await source.verify(oldToken), undefined);
      server.answer = give(newKeys);
      assert.ok(await source.verify(text), 'not yet');
      source.forward(30_001);
      assert.is(await source.verify(text), undefined);
      assert.is(server.asked.length, 2);
      // A signature that is no good has nothing fetched.
      source.forward(30_001);
      assert.ok(await source.verify(`${newToken.slice(0, -8)}AAAAAAAA`));
      assert.is(server.asked.length, 2);
    });
  }
});

test('keys that were good serve on while newer ones cannot be had', async () => {
  await withClock(async (source, server) => {
    assert.is(await source.ids(), 'old');
    server.answer = fail;
    source.forward(300_001);
    assert.is(await source.ids(), 'old');
    assert.is(server.asked.length, 2);
    assert.is(await source.ids(), 'old');
    assert.is(server.asked.length, 2, 'not for each request');
    server.answer = give(newKeys);
    source.forward(1001);
    assert.is(await source.ids(), 'new');
  });
});

test.run();
