import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hostsForNamespace, parseServerHost } from '../../../src/envoy/gateways/hosts.ts';
import { intersectHosts } from '../../../src/mesh/host-match.ts';

test('the more specific of two overlapping hosts is served', () => {
  assert.equal(intersectHosts(['*.foo.com'], ['a.foo.com', 'b.bar.com']), ['a.foo.com']);
  assert.equal(intersectHosts(['1.foo.com', '2.foo.com'], ['*.foo.com']), ['1.foo.com', '2.foo.com']);
  assert.equal(intersectHosts(['*'], ['*.foo.com', 'x.org']), ['*.foo.com', 'x.org']);
  assert.equal(intersectHosts(['*.foo.com'], ['foo.com']), []);
  assert.equal(intersectHosts(['*.foo.com', '*'], ['a.foo.com']), ['a.foo.com'], 'once');
});

test('the namespace of a server host says whose VirtualServices may attach', () => {
  const hosts = ['any.com', './own.com', 'team/Theirs.com', '*/all.com'].map((h) => parseServerHost(h, 'gateways'));
  assert.equal(hostsForNamespace(hosts, 'gateways'), ['any.com', 'own.com', 'all.com']);
  assert.equal(hostsForNamespace(hosts, 'team'), ['any.com', 'theirs.com', 'all.com']);
});

test.run();
