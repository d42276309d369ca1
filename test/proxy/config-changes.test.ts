import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { changedConfig, changesBetween } from '../../agent/proxy/config-changes.ts';
import { compileRoutes } from '../../agent/proxy/http/compile-routes.ts';
import type { ProxyConfig } from '../../agent/proxy/protocol.ts';
import { findVirtualHost } from '../../src/routing/domains.ts';
import { type Next, random } from '../mesh/random-changes.ts';

type Routes = ProxyConfig['routes'][number];
type Host = NonNullable<Routes['virtualHosts']>[number];

const host = (n: number, next: Next): Host => ({
  name: `h${n}`,
  domains: next(4) === 0 ? [`h${n}.example`, `*.h${n}.example`] : [`h${n}.example`],
  routes: [{ match: { prefix: '/' }, directResponse: { status: 200 + next(50) } }],
});
const routes = (n: number, next: Next): Routes => ({
  name: `r${n}`,
  virtualHosts: Array.from({ length: next(8) }, (_, i) => host(i, next)),
  ...(next(3) === 0 && { ignorePortInHostMatching: true }),
});

/** `list` after some of its members came, went, moved or changed; the others are the same objects. */
function shuffled<T extends { name?: string }>(list: readonly T[], next: Next, make: (n: number) => T): T[] {
  const out = [...list];
  for (let times = next(4); times > 0; times--) {
    const at = next(out.length + 1);
    const n = 100 + next(100);
    const what = next(9);
    if (what < 3) out.splice(at, 1);
    else if (what < 5 && out.length > 0) out.splice(next(out.length), 0, ...out.splice(at, 1));
    else if (!out.some((o) => o.name === make(n).name)) out.splice(at, next(2), make(n));
  }
  return out;
}

function changed(config: ProxyConfig, version: string, next: Next): ProxyConfig {
  const named = (n: number): { name: string } => ({ name: `x${n}` });
  const list = shuffled(config.routes, next, (n) => routes(n, next)).map((route) =>
    next(2) === 0
      ? route
      : {
          ...route,
          virtualHosts: shuffled(route.virtualHosts ?? [], next, (n) => host(n, next)).map((h) =>
            next(4) === 0 ? { ...h, ...host(Number(h.name!.slice(1)), next) } : h,
          ),
        },
  );
  return {
    version,
    name: 'p.default',
    listeners: shuffled(config.listeners, next, named),
    routes: list,
    clusters: next(2) === 0 ? config.clusters : shuffled(config.clusters, next, named),
    endpoints: config.endpoints,
  };
}

for (const seed of [1, 2, 3]) {
  test(`a config that is told by its changes is the config, and what did not change is kept and not compiled again (seed ${seed})`, () => {
    const next = random(seed);
    let ours: ProxyConfig = { version: '0', name: 'p.default', listeners: [], routes: [routes(1, next)], clusters: [], endpoints: [] };
    let theirs: ProxyConfig = structuredClone(ours);
    const compiled = new Map<string, { json: Routes; value: NonNullable<ReturnType<typeof compileRoutes>['value']> }>();
    let reused = 0;
    for (let step = 1; step < 150; step++) {
      const now = changed(ours, String(step), next);
      const told = JSON.parse(JSON.stringify(changesBetween(ours, now)));
      theirs = changedConfig(theirs, told);
      ours = now;
      assert.equal(theirs, ours, `step ${step}`);
      for (const json of theirs.routes) {
        const before = compiled.get(json.name!);
        const { value } = compileRoutes(json, before);
        const fresh = compileRoutes(json).value!;
        assert.equal(
          value!.virtualHosts.map((h) => h.name),
          fresh.virtualHosts.map((h) => h.name),
        );
        for (const name of ['nobody', ...fresh.virtualHosts.flatMap((h) => h.domains.map((d) => d.replace('*', 'any')))]) {
          const [one, other] = [findVirtualHost(value!.domains, name), findVirtualHost(fresh.domains, name)];
          assert.is(one?.name, other?.name);
          // The host that is found is the newest, not one that it replaced.
          assert.ok(one === undefined || value!.virtualHosts.includes(one), `step ${step}: ${name}`);
        }
        reused += value!.virtualHosts.filter((h) => before?.value.virtualHosts.includes(h)).length;
        compiled.set(json.name!, { json, value: value! });
      }
    }
    assert.ok(reused > 200, `only ${reused} virtual hosts were reused`);
  });
}

test('one changed virtual host of many is told by itself', () => {
  const next = random(9);
  const hosts = Array.from({ length: 5000 }, (_, i) => host(i, next));
  const before: ProxyConfig = {
    version: '1',
    name: 'p',
    listeners: [],
    routes: [{ name: 'all', virtualHosts: hosts }],
    clusters: [],
    endpoints: [],
  };
  const after = {
    ...before,
    version: '2',
    routes: [{ name: 'all', virtualHosts: hosts.with(1234, { ...hosts[1234]!, includeRequestAttemptCount: true }) }],
  };
  assert.ok(JSON.stringify(changesBetween(before, after)).length < 1000);
});

test.run();
