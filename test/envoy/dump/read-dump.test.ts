import { fromJson } from '@bufbuild/protobuf';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ConfigDumpSchema } from '#envoy-api/envoy/admin/v3/config_dump_pb.js';
import { readDump, section } from '../../../src/envoy/dump/read-dump.ts';
import { bootstrapOf, clustersOf, endpointsOf, listenersOf, routesOf } from '../../../src/envoy/dump/resources.ts';
import { loadWire } from '../../../src/envoy/wire.ts';
import { FairleadError } from '../../../src/errors.ts';
import { exampleDump } from './example-dump.ts';

const wire = await loadWire();
const camel = exampleDump();
const snake = wire.toSnake('envoy.admin.v3.ConfigDump', camel);

async function refusal(text: string): Promise<FairleadError> {
  try {
    await readDump(text, 'dump.json');
  } catch (error) {
    if (error instanceof FairleadError) return error;
    throw error;
  }
  throw new Error('it was read');
}

test('protobuf accepts what is written', () => {
  const message = fromJson(ConfigDumpSchema, camel, { registry: wire.registry });
  assert.is(message.configs.length, 6);
  assert.ok(JSON.stringify(snake).includes('"dynamic_active_clusters"'));
});

test('both case styles read the same', async () => {
  const [a, b] = [await readDump(JSON.stringify(camel)), await readDump(JSON.stringify(snake))];
  assert.equal(a.sections, b.sections);
  assert.equal(
    listenersOf(a).map((l) => l.name),
    ['127.0.0.1_15001', '0.0.0.0_80'],
  );
  assert.is(clustersOf(b).length, 4);
  assert.is(routesOf(b)[0]!.virtualHosts![0]!.domains![0], '*');
  assert.is(endpointsOf(b)[0]!.endpoints![0]!.lbEndpoints![0]!.endpoint!.address!.socketAddress!.portValue, 8080);
  assert.is(bootstrapOf(b).node!.cluster, 'web.default');
});

test('one section, with or without its type, and the elements of ?resource= read as parts of a dump', async () => {
  const listeners = camel.configs!.find((c) => String(c['@type']).endsWith('ListenersConfigDump'))!;
  assert.is(listenersOf(await readDump(JSON.stringify(listeners))).length, 2);
  const { '@type': _, ...untyped } = listeners as Record<string, unknown>;
  assert.is(listenersOf(await readDump(JSON.stringify(untyped))).length, 2);
  const elements = (untyped as { dynamicListeners: object[] }).dynamicListeners.map((l) => ({
    '@type': 'type.googleapis.com/envoy.admin.v3.ListenersConfigDump.DynamicListener',
    ...l,
  }));
  assert.is(listenersOf(await readDump(JSON.stringify({ configs: elements }))).length, 2);
  const element = wire.toSnake('google.protobuf.Any', elements[0]);
  assert.is(listenersOf(await readDump(JSON.stringify({ configs: [element] })))[0]!.name, '127.0.0.1_15001');
});

test('unknown types inside are let pass', async () => {
  const text = JSON.stringify({
    configs: [
      { '@type': 'type.googleapis.com/envoy.admin.v3.FutureConfigDump', some_thing: 1 },
      {
        '@type': 'type.googleapis.com/envoy.admin.v3.ListenersConfigDump',
        dynamic_listeners: [
          {
            name: 'x',
            active_state: {
              listener: {
                '@type': 'type.googleapis.com/envoy.config.listener.v3.Listener',
                name: 'x',
                filter_chains: [{ filters: [{ name: 'istio.x', typed_config: { '@type': 'type.googleapis.com/istio.X', a_b: 1 } }] }],
              },
            },
          },
        ],
      },
    ],
  });
  const filter = listenersOf(await readDump(text))[0]!.filterChains![0]!.filters![0]!;
  assert.equal(filter.typedConfig as unknown, { '@type': 'type.googleapis.com/istio.X', a_b: 1 });
});

test('the output of /clusters is told from a dump', async () => {
  const dump = await readDump('{"cluster_statuses":[{"name":"a","added_via_api":true,"host_statuses":[]}]}');
  assert.equal(dump.clusterStatuses, { clusterStatuses: [{ name: 'a', addedViaApi: true, hostStatuses: [] }] });
});

test('a missing section is named by its type, with what there is', async () => {
  const dump = await readDump('{"configs":[{"@type":"type.googleapis.com/envoy.admin.v3.RoutesConfigDump"}]}', 'dump.json');
  assert.equal(section(dump, 'routes'), {});
  try {
    section(dump, 'endpoints');
    assert.unreachable();
  } catch (error) {
    assert.ok(error instanceof FairleadError);
    assert.is(error.code, 'E_DUMP_INVALID');
    assert.match(error.message, 'type.googleapis.com/envoy.admin.v3.EndpointsConfigDump');
    assert.match(error.next!, 'RoutesConfigDump');
    assert.match(error.next!, 'include_eds');
  }
});

test('what is no dump is refused with what it seems to be', async () => {
  const cases: [string, RegExp][] = [
    ['', /is empty/],
    ['  \n', /is empty/],
    ['{"configs": [', /is not JSON/],
    ['apiVersion: v1\nkind: Service\n', /seems to be YAML configuration/],
    ['{"apiVersion":"v1","kind":"Service"}', /seems to be configuration \(Service\)/],
    ['[]', /plain list/],
    ['null', /is null/],
    ['"x"', /is a string/],
    ['{"stats":[]}', /output of \/stats/],
    ['{"listener_statuses":[]}', /output of \/listeners/],
    ['{"a":1}', /it has a/],
    ['{"configs":[]}', /without any section/],
  ];
  for (const [text, expected] of cases) {
    const error = await refusal(text);
    assert.is(error.code, 'E_DUMP_INVALID', text);
    assert.match(error.message, expected);
    assert.match(error.message, /^dump\.json /);
    assert.ok(error.next, text);
  }
});

test.run();
