/** What `fairlead up` prints for each request. */
import { stripVTControlCharacters } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { requestLine, shortCluster } from '../../src/output/request-line.ts';
import { requestRecord } from '../support/record.ts';

process.env['TZ'] = 'UTC';
const plain = { color: false };

test('who asked whom, what came of it, where it went, which line decided', () => {
  assert.is(
    requestLine(requestRecord(), { ...plain, where: 'reviews.yaml:14' }),
    '03:04:05.612 GET  200   12 ms  web.default -> reviews:9080/reviews/1  reviews.default:9080 v1 127.0.0.1:8001  reviews.yaml:14',
  );
});

test('what went wrong is said: flags, details, attempts', () => {
  assert.is(
    requestLine(requestRecord({ status: 503, flags: 'UF,URX', details: 'upstream_reset', attempts: 3, upstreamHost: '' }), plain),
    '03:04:05.612 GET  503   12 ms  web.default -> reviews:9080/reviews/1  reviews.default:9080 v1  UF,URX upstream_reset  3 attempts',
  );
  assert.is(
    requestLine(requestRecord({ status: 0, flags: 'DC', details: 'downstream_remote_disconnect', upstreamCluster: '' }), plain),
    '03:04:05.612 GET  -     12 ms  web.default -> reviews:9080/reviews/1  DC downstream_remote_disconnect',
  );
});

test('a TCP connection', () => {
  assert.is(
    requestLine(
      requestRecord({ protocol: 'TCP', bytesReceived: 5, bytesSent: 7, upstreamCluster: 'outbound|3306||db.default.svc.cluster.local' }),
      plain,
    ),
    '03:04:05.612 TCP  -     12 ms  web.default -> db.default:3306 127.0.0.1:8001  5 B in, 7 B out',
  );
});

test('a gRPC call that failed is red although HTTP says 200', () => {
  assert.match(requestLine(requestRecord({ grpc: true, grpcStatus: 14 }), plain), / 200 .* grpc-status 14/);
});

test('long methods keep a space; colours change nothing but colours', () => {
  const record = requestRecord({ method: 'PROPFIND', status: 404 });
  const text = requestLine(record, plain);
  assert.match(text, / PROPFIND 404 /);
  const colored = requestLine(record, { color: true });
  assert.is.not(colored, text);
  assert.is(stripVTControlCharacters(colored), text);
});

test('a path cannot steer the terminal', () => {
  const text = requestLine(requestRecord({ path: '/\u001b[2J\u009b31m\r\nGET', authority: 'a\u0007' }), plain);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  assert.not.match(text, /[\u0000-\u001f\u007f-\u009f]/);
});

test('clusters by the service’s name', () => {
  assert.is(shortCluster('outbound|80||a.default.svc.cluster.local'), 'a.default:80');
  assert.is(shortCluster('outbound|443||api.example.com'), 'api.example.com:443');
  assert.is(shortCluster('PassthroughCluster'), 'PassthroughCluster');
  assert.is(shortCluster('inbound|80||'), 'inbound|80||');
});

test.run();
