import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { HttpConnectionManagerJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { applyForwarded, compileForwarded } from '../../src/routing/forwarded.ts';
import { removeHopByHop } from '../../src/routing/hop-by-hop.ts';
import { inRange, parseIp } from '../../src/routing/ip-range.ts';
import { applyRequestId, type RequestIdOptions } from '../../src/routing/request-id.ts';
import { fine } from './compiled.ts';

const connection = { remoteAddress: '127.0.0.1', localPort: 8080, tls: false, nodeAddress: '192.0.2.2' };
const apply = (json: HttpConnectionManagerJson, headers: string[], more = {}) => {
  const list = [...headers];
  const result = applyForwarded(
    list,
    { ...connection, ...more },
    fine((p) => compileForwarded(json, 'hcm', p)),
    ['x-only-internal'],
  );
  return { ...result, headers: Object.fromEntries(list.flatMap((name, i) => (i % 2 === 0 ? [[name, list[i + 1]]] : []))) };
};
const steering = [
  'x-envoy-retry-on',
  '5xx',
  'x-envoy-max-retries',
  '3',
  'x-envoy-internal',
  'true',
  'x-envoy-upstream-rq-timeout-ms',
  '9',
  'x-envoy-force-trace',
  'true',
  'x-envoy-external-address',
  '9.9.9.9',
  'x-envoy-decorator-operation',
  'q',
  'x-envoy-original-path',
  '/z',
  'x-envoy-attempt-count',
  '3',
  'x-envoy-ip-tags',
  'a',
  'x-envoy-downstream-service-cluster',
  'c',
  'x-envoy-foo',
  '1',
  'x-only-internal',
  '1',
];

test('use_remote_address, as Envoy 1.40 sent it upstream', () => {
  const json = { useRemoteAddress: true };
  assert.equal(apply(json, []).headers, {
    'x-forwarded-for': '192.0.2.2',
    'x-forwarded-proto': 'http',
    'x-envoy-external-address': '127.0.0.1',
  });
  const two = apply(json, ['x-forwarded-for', '1.2.3.4, 10.0.0.2', 'x-forwarded-proto', 'https']);
  assert.equal(two.headers, {
    'x-forwarded-for': '1.2.3.4, 10.0.0.2,192.0.2.2',
    'x-forwarded-proto': 'http',
    'x-envoy-external-address': '127.0.0.1',
  });
  assert.is(apply(json, [], { remoteAddress: '8.8.8.8' }).headers['x-forwarded-for'], '8.8.8.8');
  assert.equal(apply(json, steering).headers, {
    'x-envoy-external-address': '127.0.0.1',
    'x-envoy-attempt-count': '3',
    'x-envoy-foo': '1',
    'x-forwarded-for': '192.0.2.2',
    'x-forwarded-proto': 'http',
  });
});

test('trusted hops choose the client from the right', () => {
  const json = { useRemoteAddress: true, xffNumTrustedHops: 1 };
  assert.is(apply(json, ['x-forwarded-for', '1.2.3.4, 10.0.0.2']).clientAddress, '10.0.0.2');
  assert.is(apply(json, ['x-forwarded-for', 'bad']).clientAddress, '127.0.0.1');
  assert.is(apply(json, ['x-forwarded-proto', 'https']).forwardedProto, 'https');
  assert.is(apply({ xffNumTrustedHops: 1 }, ['x-forwarded-for', '1.2.3.4, 10.0.0.2']).clientAddress, '1.2.3.4');
  assert.is(apply({}, ['x-forwarded-for', '1.2.3.4, 10.0.0.2']).clientAddress, '10.0.0.2');
  assert.is(apply({ xffNumTrustedHops: 1 }, ['x-forwarded-for', '1.2.3.4']).clientAddress, '127.0.0.1');
});

test('without use_remote_address x-forwarded-for is left alone and fewer headers go', () => {
  const { headers, scheme } = apply({}, ['x-forwarded-for', '10.0.0.1', ...steering]);
  assert.equal(headers, {
    'x-forwarded-for': '10.0.0.1',
    'x-envoy-external-address': '9.9.9.9',
    'x-envoy-decorator-operation': 'q',
    'x-envoy-original-path': '/z',
    'x-envoy-attempt-count': '3',
    'x-envoy-downstream-service-cluster': 'c',
    'x-envoy-foo': '1',
    'x-forwarded-proto': 'http',
  });
  assert.is(scheme, 'http');
  assert.equal([apply({}, ['x-forwarded-proto', 'bad']).forwardedProto, apply({}, ['x-forwarded-proto', 'bad']).scheme], ['bad', 'http']);
  assert.is(apply({}, ['x-forwarded-proto', 'HTTPS']).scheme, 'https');
});

test('internal addresses: only configured ones, and only when nobody else forwarded', () => {
  const json = { useRemoteAddress: true, internalAddressConfig: { cidrRanges: [{ addressPrefix: '127.0.0.0', prefixLen: 8 }] } };
  const internal = apply(json, ['x-envoy-retry-on', '5xx']);
  assert.equal([internal.internal, internal.edge], [true, false]);
  assert.equal(internal.headers, {
    'x-envoy-retry-on': '5xx',
    'x-forwarded-for': '192.0.2.2',
    'x-forwarded-proto': 'http',
    'x-envoy-internal': 'true',
  });
  assert.is(apply(json, ['x-forwarded-for', '127.0.0.1']).internal, false);
  assert.is(apply({ ...json, useRemoteAddress: false }, ['x-forwarded-for', '127.0.0.1']).internal, true);
  assert.is(apply({ useRemoteAddress: true }, []).internal, false);
});

test('skip_xff_append and append_x_forwarded_port', () => {
  assert.is(apply({ useRemoteAddress: true, skipXffAppend: true }, []).headers['x-forwarded-for'], undefined);
  assert.is(apply({ appendXForwardedPort: true }, []).headers['x-forwarded-port'], '8080');
  assert.is(apply({ appendXForwardedPort: true }, ['x-forwarded-port', '99']).headers['x-forwarded-port'], '99');
});

test('addresses and ranges', () => {
  for (const text of ['1.2.3', '1.2.3.256', '01.2.3.4', '::1::', 'g::', '1:2:3:4:5:6:7', '', 'a'])
    assert.is(parseIp(text), undefined, text);
  assert.equal(parseIp('::ffff:1.2.3.4'), [...new Array(10).fill(0), 255, 255, 1, 2, 3, 4]);
  assert.equal(parseIp('fe80::1%eth0')?.slice(0, 2), [254, 128]);
  assert.ok(inRange(parseIp('10.1.2.3')!, parseIp('10.0.0.0')!, 12));
  assert.not(inRange(parseIp('10.16.0.0')!, parseIp('10.0.0.0')!, 12));
  assert.not(inRange(parseIp('::1')!, parseIp('0.0.0.0')!, 0));
});

const id = '6f1b2c3d-0000-4000-8000-000000000000';
const fresh = '11debe01-001f-4d17-8cff-c339a638559b';
const options: RequestIdOptions = {
  generate: true,
  preserveExternal: false,
  packTraceReason: true,
  useForSampling: true,
  sampling: undefined,
};
const requestId = (headers: string[], edge: boolean, more: Partial<RequestIdOptions> = {}): string => {
  const list = [...headers];
  const result = applyRequestId(list, edge, { ...options, ...more }, () => fresh);
  assert.is(list[list.indexOf('x-request-id') + 1] ?? '', list.includes('x-request-id') ? result : (list[0] ?? ''));
  return result;
};

test('x-request-id is kept from trusted callers and replaced at the edge', () => {
  assert.is(requestId([], false), fresh);
  assert.is(requestId(['x-request-id', 'abc'], false), 'abc');
  assert.is(requestId(['x-request-id', id], false), id);
  assert.is(requestId(['x-request-id', id], true), fresh);
  assert.is(requestId(['x-request-id', id], true, { preserveExternal: true }), id);
  assert.is(requestId(['x-request-id', 'abc'], true, { preserveExternal: true }), 'abc');
  assert.is(requestId(['x-request-id', id], true, { generate: false }), id);
});

test('the reason for tracing stands in the 15th character', () => {
  const all = { numerator: 100, denominator: 100 as const };
  const none = { numerator: 0, denominator: 100 as const };
  const reason = (headers: string[], sampling: RequestIdOptions['sampling']): string =>
    requestId(['x-request-id', id, ...headers], false, { sampling })[14]!;
  assert.is(reason([], { client: all, random: all, overall: all }), '9');
  assert.is(reason([], { client: all, random: none, overall: all }), '4');
  assert.is(reason(['x-envoy-force-trace', '1'], { client: all, random: none, overall: all }), 'a');
  assert.is(reason(['x-client-trace-id', '1'], { client: all, random: none, overall: all }), 'b');
  assert.is(reason([], { client: all, random: all, overall: none }), '4');
});

test('hop-by-hop fields stay on their connection', () => {
  const left = (headers: string[], keep = false): string[] | false => (removeHopByHop(headers, keep) ? headers : false);
  assert.equal(left(['connection', 'close, X-Foo', 'x-foo', '1', 'x-bar', '2', 'keep-alive', '5', 'proxy-connection', 'x']), [
    'x-bar',
    '2',
  ]);
  assert.equal(left(['te', 'trailers']), ['te', 'trailers']);
  assert.equal(left(['te', 'trailers, deflate']), ['te', 'trailers']);
  assert.equal(left(['te', 'gzip', 'trailer', 'y', 'proxy-authorization', 'x']), ['trailer', 'y', 'proxy-authorization', 'x']);
  assert.equal(left(['connection', 'Upgrade', 'upgrade', 'websocket', 'a', 'b']), ['a', 'b']);
  assert.equal(left(['connection', 'Upgrade', 'upgrade', 'websocket', 'a', 'b'], true), [
    'a',
    'b',
    'connection',
    'upgrade',
    'upgrade',
    'websocket',
  ]);
  assert.equal(left(['transfer-encoding', 'chunked', 'a', 'b']), ['a', 'b']);
  assert.equal(left(['connection', 'cookie', 'cookie', 'q', 'a', 'b']), ['a', 'b']);
  for (const name of ['x-forwarded-host', 'x-forwarded-proto', ':path']) assert.is(left(['connection', name]), false, name);
  assert.is(left(['connection', 'host']), false);
  assert.is(left(['connection', 'x-forwarded-for', 'x-forwarded-for', '1.1.1.1']), false);
  assert.equal(left(['a', 'b']), ['a', 'b']);
});

test.run();
