import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compileRoutes } from '../../../agent/proxy/http/compile-routes.ts';

const test = suite('configuration of filters by routes');
const HTTP = 'type.googleapis.com/envoy.extensions.filters.http';
const PER_ROUTE: Readonly<Record<string, object>> = {
  'envoy.filters.http.rbac': { '@type': `${HTTP}.rbac.v3.RBACPerRoute` },
  'envoy.filters.http.jwt_authn': { '@type': `${HTTP}.jwt_authn.v3.PerRouteConfig`, disabled: true },
  'envoy.filters.http.ext_authz': { '@type': `${HTTP}.ext_authz.v3.ExtAuthzPerRoute`, disabled: true },
};

test('what authorization filters would take from routes is refused, wherever it stands', () => {
  for (const [name, config] of Object.entries(PER_ROUTE)) {
    const typedPerFilterConfig = { [name]: config };
    const route = { match: { prefix: '/' }, route: { cluster: 'c' } };
    const host = { name: 'v', domains: ['*'], routes: [route] };
    const weighted = { weightedClusters: { clusters: [{ name: 'c', weight: 1, typedPerFilterConfig }] } };
    for (const json of [
      { name: 'r', virtualHosts: [host], typedPerFilterConfig },
      { name: 'r', virtualHosts: [{ ...host, typedPerFilterConfig }] },
      { name: 'r', virtualHosts: [{ ...host, routes: [{ ...route, typedPerFilterConfig }] }] },
      { name: 'r', virtualHosts: [{ ...host, routes: [{ ...route, route: weighted }] }] },
    ]) {
      const { value, problems } = compileRoutes(json as never);
      assert.is(value, undefined, name);
      assert.match(
        problems.map(({ message }) => message).join(),
        /typedPerFilterConfig\["envoy\.filters\.http\..*no filter takes .* from routes/,
      );
    }
  }
});

test.run();
