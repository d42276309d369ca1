import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { Resolver } from '../../../../agent/proxy/upstream/discovery/resolver.ts';
import { startBackend } from '../../../support/backend.ts';
import { until } from '../../../support/http.ts';
import { type Bench, endpoint, send, startBench } from '../harness.ts';

const closers: (() => unknown)[] = [];
test.after.each(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function dns(type: 'STRICT_DNS' | 'LOGICAL_DNS', names: string[], port: number, more: ClusterJson = {}): ClusterJson {
  return {
    name: 'c',
    type,
    connectTimeout: '1s',
    dnsLookupFamily: 'V4_ONLY',
    dnsRefreshRate: '0.03s',
    loadAssignment: { clusterName: 'c', endpoints: [{ lbEndpoints: names.map((name) => endpoint(port, {}, name)) }] },
    ...more,
  };
}

function start(config: ClusterJson, resolver?: Resolver): Bench {
  const bench = startBench(config, resolver === undefined ? {} : { resolver });
  closers.push(() => bench.clusters.close());
  return bench;
}

const addresses = (bench: Bench): string[] =>
  (
    bench.clusters.dump() as { clusterStatuses: { hostStatuses?: { address: { socketAddress: { address: string } } }[] }[] }
  ).clusterStatuses[0]!.hostStatuses?.map((h) => h.address.socketAddress.address).sort() ?? [];

test('STRICT_DNS: every address of every name, asked for again and again', async () => {
  const answers: Record<string, string[]> = { 'a.test': ['10.0.0.1', '10.0.0.2'], 'b.test': ['10.0.1.1'] };
  const bench = start(dns('STRICT_DNS', ['a.test', 'b.test'], 80), async (name) => ({ addresses: answers[name]!, ttl: undefined }));
  await until('all addresses', () => addresses(bench).length === 3);
  const kept = bench.cluster.chooseHost({ avoid: new Set(), hash: 1n });
  answers['a.test'] = ['10.0.0.2', '10.0.0.3'];
  await until('the new ones', () => addresses(bench).join() === '10.0.0.2,10.0.0.3,10.0.1.1');
  assert.ok(kept !== undefined);
  assert.ok(bench.counter('update_success') > 2);
});

test('a failure keeps the old hosts, and is logged and counted', async () => {
  let works = true;
  const bench = start(dns('STRICT_DNS', ['a.test'], 80), async () => {
    if (!works) throw Object.assign(new Error('queryA ESERVFAIL a.test'), { code: 'ESERVFAIL' });
    return { addresses: ['10.0.0.1'], ttl: undefined };
  });
  await until('the address', () => addresses(bench).length === 1);
  works = false;
  await until('failures', () => bench.counter('update_failure') > 1);
  assert.equal(addresses(bench), ['10.0.0.1']);
  assert.match(bench.logged.join('\n'), 'cluster c: cannot resolve a.test: queryA ESERVFAIL');
});

test('the time to live decides when to ask again, where it is respected', async () => {
  let asked = 0;
  const resolver: Resolver = async () => {
    asked++;
    return { addresses: ['10.0.0.1'], ttl: 3_600_000 };
  };
  const bench = start(dns('STRICT_DNS', ['a.test'], 80, { respectDnsTtl: true }), resolver);
  await until('the address', () => addresses(bench).length === 1);
  await new Promise((r) => setTimeout(r, 150));
  assert.is(asked, 1);
});

test('LOGICAL_DNS: one host, with the address of the moment for new connections', async () => {
  const one = await startBackend('one');
  closers.push(() => one.close());
  let address = '127.0.0.1';
  const bench = start(dns('LOGICAL_DNS', ['a.test'], one.port), async () => ({ addresses: [address, '10.9.9.9'], ttl: undefined }));
  await until('the address', () => addresses(bench).length === 1);
  const { host, status } = await send(bench.cluster).done;
  assert.is(status, 200);
  assert.is(host?.hostname, 'a.test');
  address = '127.0.0.2';
  await until('the new address', () => addresses(bench)[0] === '127.0.0.2');
  assert.is(bench.cluster.chooseHost({}), host);
  assert.is((await send(bench.cluster).done).status, 200, 'the old connection is still used');
  assert.is(bench.counter('upstream_cx_total'), 1);
});

test('families: which are asked for, and in what order', async () => {
  const cases = [
    ['V4_ONLY', '10.0.0.1'],
    ['V6_ONLY', 'fd00::1'],
    ['AUTO', 'fd00::1'],
    ['V4_PREFERRED', '10.0.0.1'],
    ['ALL', '10.0.0.1,fd00::1'],
  ] as const;
  for (const [dnsLookupFamily, expected] of cases) {
    const bench = start(dns('STRICT_DNS', ['a.test'], 80, { dnsLookupFamily }), async (_name, family) => ({
      addresses: [family === 4 ? '10.0.0.1' : 'fd00::1'],
      ttl: undefined,
    }));
    await until(`${dnsLookupFamily} ${expected}`, () => addresses(bench).join() === expected);
  }
  const onlyV4 = start(dns('STRICT_DNS', ['a.test'], 80, { dnsLookupFamily: 'AUTO' }), async (_name, family) => {
    if (family === 6) throw new Error('no AAAA');
    return { addresses: ['10.0.0.1'], ttl: undefined };
  });
  await until('IPv4 in the end', () => addresses(onlyV4).join() === '10.0.0.1');
});

test("the system's resolver knows localhost; a name of nobody leaves the cluster without hosts", async () => {
  const one = await startBackend('one');
  closers.push(() => one.close());
  const bench = start(dns('STRICT_DNS', ['localhost'], one.port));
  await until('localhost', () => addresses(bench).length > 0);
  assert.is((await send(bench.cluster).done).status, 200);
  const nobody = start(dns('STRICT_DNS', ['nobody.invalid'], 80, { dnsRefreshRate: '60s' }));
  await until('the failure', () => nobody.counter('update_failure') === 1);
  assert.is(nobody.cluster.chooseHost({}), undefined);
});

test.run();
