import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { kubernetesProtocol, parseProtocol } from '../../src/mesh/protocol.ts';

const byPort: [port: Parameters<typeof kubernetesProtocol>[0], protocol: string][] = [
  [{ port: 53, protocol: 'UDP', name: 'http' }, 'UDP'],
  [{ port: 80, name: 'http' }, 'HTTP'],
  [{ port: 80, name: 'HTTP-web' }, 'HTTP'],
  [{ port: 80, name: 'http-a-b' }, 'HTTP'],
  [{ port: 80, name: 'http2-x' }, 'HTTP2'],
  [{ port: 80, name: 'http_proxy' }, 'HTTP_PROXY'],
  [{ port: 80, name: 'grpc-api' }, 'GRPC'],
  [{ port: 80, name: 'grpc-web' }, 'GRPC-Web'],
  [{ port: 80, name: 'GRPC-Web-x' }, 'GRPC-Web'],
  [{ port: 443, name: 'https' }, 'HTTPS'],
  [{ port: 443, name: 'tls-x' }, 'TLS'],
  [{ port: 1, name: 'tcp' }, 'TCP'],
  [{ port: 1, name: 'mongo' }, 'Mongo'],
  [{ port: 1, name: 'redis-1' }, 'Redis'],
  [{ port: 1, name: 'mysql' }, 'MySQL'],
  [{ port: 1, name: 'tcp2' }, 'detected'],
  [{ port: 1, name: '' }, 'detected'],
  [{ port: 25 }, 'TCP'],
  [{ port: 53 }, 'TCP'],
  [{ port: 3306, name: 'db' }, 'TCP'],
  [{ port: 27017 }, 'TCP'],
  [{ port: 3306, name: 'http' }, 'HTTP'],
  [{ port: 80, name: 'tcp', appProtocol: 'http' }, 'HTTP'],
  [{ port: 80, appProtocol: 'kubernetes.io/h2c' }, 'HTTP2'],
  [{ port: 80, appProtocol: 'kubernetes.io/ws' }, 'HTTP'],
  [{ port: 80, appProtocol: 'kubernetes.io/wss' }, 'HTTPS'],
  [{ port: 80, name: 'http', appProtocol: 'example.com/custom' }, 'detected'],
];

for (const [port, protocol] of byPort) {
  test(`a Kubernetes port ${JSON.stringify(port)} is ${protocol}`, () => {
    assert.is(kubernetesProtocol(port), protocol);
  });
}

test('protocol fields name protocols in any case, without the rules for port names', () => {
  assert.is(parseProtocol('http'), 'HTTP');
  assert.is(parseProtocol('GRPC-WEB'), 'GRPC-Web');
  assert.is(parseProtocol('MONGO'), 'Mongo');
  assert.is(parseProtocol('http-web'), 'detected');
  assert.is(parseProtocol(undefined), 'detected');
});

test.run();
