import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PrincipalJson } from '#envoy-api/envoy/config/rbac/v3/rbac_pb.js';
import { compileRbac } from '../../src/authorization/compile-rbac.ts';
import type { AuthorizationConnection } from '../../src/authorization/types.ts';

const test = suite('compileRbac');
const plain: AuthorizationConnection = {
  ...{ tls: false, peer: undefined, directRemoteIp: '10.0.0.1', sourceIp: '10.0.0.1', remoteIp: '10.0.0.1' },
  ...{ destinationIp: '10.0.0.2', destinationPort: 80, sni: '' },
};
const peer = {
  ...{ uriSans: ['spiffe://a/ns/b/sa/c'], dnsSans: ['billing.myapp.com'], subject: 'CN=x', issuer: 'CN=ca', serial: '1', sha256: '' },
};

function allows(principal: PrincipalJson, connection: AuthorizationConnection): boolean {
  const { rbac, problems } = compileRbac({ policies: { p: { permissions: [{ any: true }], principals: [principal] } } }, 'rules');
  assert.equal(problems, []);
  return rbac.decide({ connection }).allowed;
}

test('authenticated names are URI SANs, DNS SANs, then the subject; never without TLS', () => {
  const mtls = { ...plain, tls: true, peer };
  const named = (exact: string): PrincipalJson => ({ authenticated: { principalName: { exact } } });
  for (const name of ['spiffe://a/ns/b/sa/c', 'billing.myapp.com', 'CN=x']) {
    assert.ok(allows(named(name), mtls), name);
    assert.not(allows(named(name), { ...plain, peer }), name);
    assert.not(allows(named(name), { ...plain, tls: true }), name);
  }
  assert.not(allows(named('c'), mtls));
  assert.ok(allows({ authenticated: {} }, { ...plain, tls: true }));
  assert.not(allows({ authenticated: {} }, plain));
});

test('the first policy by name is told; what is not evaluated is refused with its path', () => {
  const policy = { permissions: [{ any: true }], principals: [{ any: true }] };
  const deny = compileRbac({ action: 'DENY', policies: { b: policy, a: policy } }, 'rules').rbac;
  assert.equal(deny.decide({ connection: plain }), { allowed: false, policy: 'a' });
  assert.equal(compileRbac({}, 'rules').rbac.decide({ connection: plain }), { allowed: false, policy: undefined });
  const { problems } = compileRbac({ policies: { p: { ...policy, condition: {} } } } as never, 'rules');
  assert.equal(
    problems.map((p) => p.path),
    ['rules.policies["p"].condition'],
  );
});

test.run();
