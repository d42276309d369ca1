import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { SubstitutionFormatStringJson } from '#envoy-api/envoy/config/core/v3/substitution_format_string_pb.js';
import { JSON_FORMAT, TEXT_FORMAT } from '../../src/envoy/access-log-formats.ts';
import { RouteRequest } from '../../src/routing/request.ts';
import type { StreamInfo } from '../../src/routing/stream-info.ts';
import { compileAccessLog } from '../../src/telemetry/access-log.ts';

const info: StreamInfo = {
  startTime: 1795251000952.222,
  duration: 3.7,
  protocol: 'HTTP/1.1',
  status: 200,
  flags: '-',
  details: 'via_upstream',
  bytesReceived: 0,
  bytesSent: 187,
  upstreamHost: '127.0.0.1:34251',
  upstreamCluster: 'outbound|80||a',
  upstreamLocalAddress: '127.0.0.1:42724',
  downstreamLocalAddress: '127.0.0.1:45075',
  downstreamRemoteAddress: '127.0.0.1:37066',
  routeName: 'rt',
  attempts: 1,
  request: new RouteRequest({
    method: 'GET',
    scheme: 'http',
    authority: 'h',
    path: '/new',
    headers: [
      'x-envoy-original-path',
      '/a',
      'x-long',
      'abcdef',
      'x-multi',
      'a',
      'x-multi',
      'b',
      'x-empty',
      '',
      'x-q',
      'a"b\\',
      'user-agent',
      'curl',
    ],
  }),
  responseHeaders: ['x-envoy-upstream-service-time', '2'],
  responseTrailers: ['grpc-status', '0'],
};
const line = (json?: SubstitutionFormatStringJson, of: StreamInfo = info): string => {
  const { value, problems } = compileAccessLog(json);
  assert.equal(problems, []);
  return value!(of);
};
const text = (textFormat: string, of?: StreamInfo): string => line({ textFormat }, of);

test("Envoy's default and Istio's", () => {
  assert.is(line(), '[2026-11-21T08:50:00.952Z] "GET /a HTTP/1.1" 200 - 0 187 3 2 "-" "curl" "-" "h" "127.0.0.1:34251"\n');
  assert.is(
    text(TEXT_FORMAT),
    '[2026-11-21T08:50:00.952Z] "GET /a HTTP/1.1" 200 - via_upstream - "-" 0 187 3 2 "-" "curl" "-" "h" "127.0.0.1:34251" outbound|80||a ' +
      '127.0.0.1:42724 127.0.0.1:45075 127.0.0.1:37066 - rt\n',
  );
  const json = JSON.parse(line({ jsonFormat: JSON_FORMAT as Record<string, string> }));
  assert.is(json.response_code, 200);
  assert.is(json.requested_server_name, null);
  assert.is(json.path, '/a');
  assert.is(json.upstream_service_time, '2');
});

test('a request that got no answer shows dashes', () => {
  assert.is(text(TEXT_FORMAT, {}), '[-] "- - -" 0 - - - "-" 0 0 - - "-" "-" "-" "-" "-" - - - - - -\n');
});

test('JSON as Envoy 1.40 writes it: sorted keys, numbers, null, nested values', () => {
  const jsonFormat = {
    c: '%REQ(nope)%',
    a: '%REQ(:METHOD)%',
    b: '%RESPONSE_CODE%',
    d: 'x%REQ(nope)%y',
    e: '%DURATION%',
    i: { k: '%PROTOCOL%' },
    l: ['%RESPONSE_CODE%', 'z'],
    g: '%RESPONSE_FLAGS%',
    u: '%REQ(X-LONG):3%',
    w: '%REQ(x-multi)%',
    x: '%REQ(x-empty)%',
    ii: 12,
    jj: true,
    q: '%REQ(x-q)%',
    __proto__x: '%TRAILER(grpc-status)%',
  };
  assert.is(
    line({ jsonFormat }),
    '{"__proto__x":"0","a":"GET","b":200,"c":null,"d":"x-y","e":3,"g":"-","i":{"k":"HTTP/1.1"},"ii":12,"jj":true,"l":[200,"z"],"q":"a\\"b\\\\","u":"abc","w":"a","x":""}\n',
  );
});

test('omit_empty_values', () => {
  const jsonFormat = { a: '%REQ(nope)%', b: 'x%REQ(nope)%', c: '%PROTOCOL%', d: { e: '%REQ(nope)%' } };
  assert.is(line({ jsonFormat, omitEmptyValues: true }), '{"b":"x","c":"HTTP/1.1"}\n');
  assert.is(line({ textFormatSource: { inlineString: '[%REQ(nope)%] %RESPONSE_FLAGS%|\n' }, omitEmptyValues: true }), '[] -|\n');
});

test('times, addresses, alternatives, lengths', () => {
  const rows: Record<string, string> = {
    '%START_TIME(%Y-%m-%dT%H:%M:%S%z)%': '2026-11-21T08:50:00+0000',
    '%START_TIME(%s %3f %6f %9f %f)%': '1795251000 952 952222 952222000 952222000',
    '%START_TIME(%a %b %e %T)%': 'Sat Nov 21 08:50:00',
    '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %DOWNSTREAM_REMOTE_PORT%': '127.0.0.1 37066',
    '%REQ(NOPE?X-LONG):2%': 'ab',
    '%RESP(:STATUS)%': '200',
    '%DYNAMIC_METADATA(a:b)%': '-',
    '100%%': '100%',
  };
  for (const [format, expected] of Object.entries(rows)) assert.is(text(format), expected, format);
  assert.is(text('%DYNAMIC_METADATA(a:b)% %DYNAMIC_METADATA(a)%', { metadata: { a: { b: 1 } } }), '1 {"b":1}');
  assert.is(text('%GRPC_STATUS% %GRPC_STATUS(SNAKE_STRING)% %GRPC_STATUS_NUMBER%', { grpcStatus: 14 }), 'Unavailable UNAVAILABLE 14');
});

test('what is unknown is a problem, as Envoy refuses it', () => {
  for (const format of ['%NOPE%', '50% x', '%REQ(a?b?c)%', '%req(a)%', '%REQ%', '%START_TIME(%Q)%', '%PROTOCOL(x)%']) {
    const { value, problems } = compileAccessLog({ textFormat: format });
    assert.is(value, undefined, format);
    assert.is(problems[0]?.path, 'logFormat.textFormat', format);
  }
  assert.is(compileAccessLog({ jsonFormat: { a: { b: '%NOPE%' } } }).problems[0]?.path, 'logFormat.jsonFormat.a.b');
});

test.run();
