/** The encoder against protobuf-es: random messages of Envoy's API, written from the descriptors, give the very same bytes. */
import { type DescEnum, type DescField, type DescMessage, fromJson, ScalarType, toBinary } from '@bufbuild/protobuf';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encoderOf } from '../../src/envoy/encode.ts';
import { loadWire } from '../../src/envoy/wire.ts';

const ROUNDS = 3000;
const TEXTS = [
  '',
  'a',
  'outbound|80||svc.default.svc.cluster.local',
  'ü',
  '日本語',
  '🦊',
  'x'.repeat(127),
  'y'.repeat(128),
  'é'.repeat(70),
  'z'.repeat(20_000),
];
const ROOTS = [
  'envoy.config.cluster.v3.Cluster',
  'envoy.config.endpoint.v3.ClusterLoadAssignment',
  'envoy.config.listener.v3.Listener',
  'envoy.config.route.v3.RouteConfiguration',
  'envoy.extensions.transport_sockets.tls.v3.Secret',
  'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
  'envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication',
  'envoy.config.bootstrap.v3.Bootstrap',
];

const { registry } = await loadWire();
const encode = encoderOf(registry);

/** xorshift32: the same messages each time for a seed. */
function random(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function generator(below: (n: number) => number) {
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
  const number = (): number => pick([0, 1, 127, 128, 300, 65_536, 2 ** 31 - 1]);

  function scalar(type: ScalarType): unknown {
    switch (type) {
      case ScalarType.BOOL:
        return pick([true, false]);
      case ScalarType.STRING:
        return pick(TEXTS);
      case ScalarType.BYTES:
        return Buffer.from(pick(TEXTS)).toString(pick(['base64', 'base64url'] as const));
      case ScalarType.DOUBLE:
      case ScalarType.FLOAT:
        return pick([0, -0, 0.5, -1.25, 1e10, 'NaN', 'Infinity', '-Infinity']);
      case ScalarType.INT32:
        return pick([-1, -(2 ** 31), '-5', '7', number()]);
      case ScalarType.INT64:
        return pick(['-9223372036854775808', '9223372036854775807', -1, '0', number()]);
      case ScalarType.UINT64:
        return pick(['18446744073709551615', 2 ** 40, '0', number()]);
      case ScalarType.UINT32:
        return pick([4_294_967_295, '12', number()]);
      default:
        return number();
    }
  }

  const enumValue = (desc: DescEnum): unknown => {
    const value = pick(desc.values);
    return desc.typeName === 'google.protobuf.NullValue' ? null : pick([value.name, value.number]);
  };

  function value(depth: number): unknown {
    const kind = below(depth > 3 ? 4 : 6);
    if (kind === 4) return Array.from({ length: below(3) }, () => value(depth + 1));
    if (kind === 5) return Object.fromEntries(Array.from({ length: below(3) }, (_, i) => [`k${i}`, value(depth + 1)]));
    return [null, 1.5, pick(TEXTS), true][kind];
  }

  function message(desc: DescMessage, depth: number): unknown {
    const { typeName } = desc;
    if (typeName === 'google.protobuf.Duration') return pick(['0s', '1s', '-1.5s', '0.000000001s', '-0.250s', '315576000000s']);
    if (typeName === 'google.protobuf.Timestamp') return '2026-11-21T10:11:12.5Z';
    if (typeName === 'google.protobuf.FieldMask') return 'a.bC,d';
    if (typeName === 'google.protobuf.Struct')
      return Object.fromEntries(Array.from({ length: below(4) }, (_, i) => [`s${i}`, value(depth)]));
    if (typeName === 'google.protobuf.Value') return value(depth);
    if (typeName === 'google.protobuf.ListValue') return [value(depth), value(depth)];
    if (/^google\.protobuf\.\w+Value$/.test(typeName)) return scalar(desc.fields[0]!.scalar!);
    if (typeName === 'google.protobuf.Any') {
      if (below(4) === 0) return { '@type': 'type.googleapis.com/google.protobuf.Duration', value: '1.5s' };
      const inner = registry.getMessage(pick(ROOTS))!;
      return { '@type': `type.googleapis.com/${inner.typeName}`, ...(fields(inner, depth + 2) as object) };
    }
    return fields(desc, depth + 1);
  }

  function fields(desc: DescMessage, depth: number): unknown {
    const out: Record<string, unknown> = {};
    const taken = new Set<unknown>();
    const byNumber = [...desc.fields].sort((a, b) => a.number - b.number);
    for (const field of byNumber) {
      if (below(Math.max(2, byNumber.length)) > (depth > 5 ? 0 : 4) || (field.message && depth > 6)) continue;
      if (field.oneof && taken.has(field.oneof)) continue;
      taken.add(field.oneof);
      out[pick([field.jsonName, field.jsonName, field.name])] = fieldValue(field, depth);
    }
    return out;
  }

  function fieldValue(field: DescField, depth: number): unknown {
    const one = (): unknown => (field.message ? message(field.message, depth) : field.enum ? enumValue(field.enum) : scalar(field.scalar!));
    if (field.fieldKind === 'list') return Array.from({ length: below(4) }, one);
    if (field.fieldKind === 'map')
      return Object.fromEntries(Array.from({ length: below(3) }, (_, i) => [`${pick(TEXTS).slice(0, 5)}${i}`, one()]));
    return one();
  }

  return (root: string) => fields(registry.getMessage(root)!, 0) as Record<string, never>;
}

test('random messages of every served type are encoded as protobuf-es encodes them', () => {
  const seed = Number(process.env['SEED'] ?? 20_261_121);
  let bytes = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const root = ROOTS[round % ROOTS.length]!;
    const json = generator(random(seed + round * 7919))(root);
    const desc = registry.getMessage(root)!;
    const expected = Buffer.from(toBinary(desc, fromJson(desc, json, { registry })));
    const got = encode(root, json);
    bytes += got.length;
    if (expected.compare(got) !== 0) assert.unreachable(`SEED=${seed} round ${round}: ${root} ${JSON.stringify(json).slice(0, 2000)}`);
  }
  assert.ok(bytes > 1_000_000, `the messages are too small to show anything: ${bytes} bytes`);
});

test('what is wrong is told with the field, and the next message is whole', () => {
  const cluster = 'envoy.config.cluster.v3.Cluster';
  for (const [json, words] of [
    [{ name: 'a', nonsense: 1 }, /nonsense/],
    [{ name: 7 }, /name/],
    [{ name: 'a', connectTimeout: 'soon' }, /Duration/],
    [{ name: 'a', type: 'NEVER' }, /DiscoveryType.*NEVER/],
    [{ name: 'a', perConnectionBufferLimitBytes: -1 }, /UInt32Value|per_connection/],
    [{ name: 'a', type: 'EDS', clusterType: { name: 'x' } }, /oneof/],
    [{ name: 'a', transportSocket: { name: 'x', typedConfig: { '@type': 'type.googleapis.com/not.Known' } } }, /not\.Known/],
    [{ name: '\ud800' }, /name/],
  ] as const)
    assert.throws(
      () => encode(cluster, json),
      (e: Error) => words.test(e.message) || assert.unreachable(`${JSON.stringify(json)}: ${e.message}`),
    );
  assert.equal(Buffer.from(encode(cluster, { name: 'b' })).toString('hex'), '0a0162');
});

test('the encoded form of a virtual host is kept with its object, not with its content', () => {
  const host = { name: 'h', domains: ['*'] };
  const first = encode('envoy.config.route.v3.RouteConfiguration', { name: 'r', virtualHosts: [host] });
  const other = encode('envoy.config.route.v3.RouteConfiguration', { name: 'r', virtualHosts: [host, { ...host, name: 'i' }] });
  assert.ok(other.length > first.length);
  const alone = encode('envoy.config.route.v3.VirtualHost', host);
  assert.ok(alone === encode('envoy.config.route.v3.VirtualHost', host));
});

test.run();
