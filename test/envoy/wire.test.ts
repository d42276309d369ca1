import { create, fromJson, toJson } from '@bufbuild/protobuf';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ClusterSchema } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import { ListenerSchema } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import { RouteConfigurationSchema } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import { loadWire } from '../../src/envoy/wire.ts';

const wire = await loadWire();

const httpOptions = 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
const camel = {
  name: 'outbound|80||a',
  connectTimeout: '1.500s',
  lbPolicy: 'RING_HASH',
  ringHashLbConfig: { minimumRingSize: '1024' },
  circuitBreakers: { thresholds: [{ maxConnections: 7, retryBudget: { budgetPercent: { value: 20 } } }] },
  metadata: { filterMetadata: { istio: { someKey: { innerKey: [1, { deepKey: true }] }, snake_key: 1 }, 'envoy.lb': {} } },
  typedExtensionProtocolOptions: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': httpOptions,
      commonHttpProtocolOptions: { idleTimeout: '300s' },
      explicitHttpConfig: { http2ProtocolOptions: { maxConcurrentStreams: 5 } },
    },
  },
};
const snake = {
  name: 'outbound|80||a',
  connect_timeout: '1.500s',
  lb_policy: 'RING_HASH',
  ring_hash_lb_config: { minimum_ring_size: '1024' },
  circuit_breakers: { thresholds: [{ max_connections: 7, retry_budget: { budget_percent: { value: 20 } } }] },
  metadata: { filter_metadata: { istio: { someKey: { innerKey: [1, { deepKey: true }] }, snake_key: 1 }, 'envoy.lb': {} } },
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': httpOptions,
      common_http_protocol_options: { idle_timeout: '300s' },
      explicit_http_config: { http2_protocol_options: { max_concurrent_streams: 5 } },
    },
  },
};

test('fields are renamed both ways; keys of maps and Structs are kept', () => {
  assert.equal(wire.toSnake('envoy.config.cluster.v3.Cluster', camel), snake);
  assert.equal(wire.toCamel('envoy.config.cluster.v3.Cluster', snake), camel);
  assert.equal(wire.toCamel(ClusterSchema, snake), camel);
});

test('either form is taken, and the argument is left alone', () => {
  const before = JSON.stringify(camel);
  assert.equal(wire.toSnake(ClusterSchema, snake), snake);
  assert.equal(wire.toCamel(ClusterSchema, camel), camel);
  assert.is(JSON.stringify(camel), before);
});

test('protobuf reads both forms as the same message', () => {
  const options = { registry: wire.registry };
  const both = [camel, snake].map((json) => toJson(ClusterSchema, fromJson(ClusterSchema, json, options), options));
  assert.equal(both[0], both[1]);
});

test('an Any inside an Any is followed; unknown types and fields stay as they are', () => {
  const listener = {
    name: 'l',
    future_field: { some_key: 1 },
    filter_chains: [
      {
        filters: [
          {
            name: 'hcm',
            typed_config: {
              '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
              stat_prefix: 'x',
              http_filters: [
                { name: 'a', typed_config: { '@type': 'type.googleapis.com/istio.unknown.Type', some_field: 1, otherField: 2 } },
                {
                  name: 'router',
                  typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router', start_child_span: true },
                },
                {
                  name: 's',
                  typed_config: { '@type': 'type.googleapis.com/google.protobuf.Struct', value: { a_b: 1 } },
                },
              ],
            },
          },
        ],
      },
    ],
  };
  const out = wire.toCamel(ListenerSchema, listener) as typeof listener & Record<string, unknown>;
  assert.equal(out['future_field'], { some_key: 1 });
  const hcm = (out as unknown as { filterChains: { filters: { typedConfig: Record<string, unknown> }[] }[] }).filterChains[0]!.filters[0]!
    .typedConfig;
  assert.is(hcm['statPrefix'], 'x');
  assert.equal(hcm['httpFilters'], [
    { name: 'a', typedConfig: { '@type': 'type.googleapis.com/istio.unknown.Type', some_field: 1, otherField: 2 } },
    {
      name: 'router',
      typedConfig: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router', startChildSpan: true },
    },
    { name: 's', typedConfig: { '@type': 'type.googleapis.com/google.protobuf.Struct', value: { a_b: 1 } } },
  ]);
  assert.equal(wire.toSnake(ListenerSchema, out), listener);
});

test('scalars where messages belong, nulls and unknown type names are no error', () => {
  assert.equal(wire.toSnake('no.such.Type', { aB: 1 }), { aB: 1 });
  assert.equal(wire.toSnake(RouteConfigurationSchema, { virtualHosts: 'oops', validateClusters: false, vhds: null }), {
    virtual_hosts: 'oops',
    validate_clusters: false,
    vhds: null,
  });
  assert.is(wire.toSnake(ClusterSchema, null), null);
});

test('names that JavaScript gives a meaning to are just names', () => {
  const json = JSON.parse(
    '{"name":"x","typedExtensionProtocolOptions":{"__proto__":{"@type":"t"},"constructor":{"@type":"t"}},"__proto__":{"a":1}}',
  );
  assert.is(
    JSON.stringify(wire.toSnake(ClusterSchema, json)),
    '{"name":"x","typed_extension_protocol_options":{"__proto__":{"@type":"t"},"constructor":{"@type":"t"}},"__proto__":{"a":1}}',
  );
});

test('every message that a dump holds is known', () => {
  for (const type of [
    'admin.v3.BootstrapConfigDump',
    'admin.v3.EndpointsConfigDump',
    'admin.v3.SecretsConfigDump',
    'config.endpoint.v3.ClusterLoadAssignment',
  ])
    assert.ok(wire.registry.getMessage(`envoy.${type}`), type);
  assert.ok(create(ClusterSchema));
});

test.run();
