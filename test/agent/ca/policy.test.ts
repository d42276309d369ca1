/** The policy's file, and the certificates that it allows. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lifeFor, type Policy, refusalFor } from '../../../agent/ca/policy.ts';
import { parsePolicy } from '../../../agent/ca/read-policy.ts';
import { FairleadError } from '../../../src/errors.ts';
import { generateKey } from '../../../src/pki/keys.ts';

const key = await generateKey('ec-p256');
const NODE = 'spiffe://cluster.local/fairlead/node/n1';
const WEB = 'spiffe://cluster.local/ns/shop/sa/web';
const policy: Policy = parsePolicy(
  `
ttl: { default: 1h, max: 12h }
rateLimit: { perMinute: 60, burst: 5 }
allow:
  - callers: [spiffe://cluster.local/fairlead/node/*]
    identities: ["spiffe://cluster.local/ns/*/sa/*"]
    dnsNames: ["*.svc.cluster.local", "**.mesh.example"]
    maxTtl: 2h
  - callers: ["spiffe://cluster.local/admin/**"]
    identities: ["**"]
`,
  'policy.yaml',
);
const caller = (name: string) => ({ name, by: 'certificate' as const });
const refusal = (name: string, identity: string, dns: string[] = []): string =>
  refusalFor(policy, caller(name), identity, dns, key) ?? 'allowed';

test('callers get their own identity and what a rule allows, and nothing else', () => {
  assert.is(refusal(WEB, WEB), 'allowed');
  assert.is(refusal(NODE, WEB), 'allowed');
  assert.is(refusal('spiffe://cluster.local/admin/a/b', NODE), 'allowed');
  assert.match(refusal(WEB, NODE), /no rule/);
  assert.match(refusal(`${NODE}/more`, WEB), /no rule/, 'a star stays within its segment');
  assert.match(refusal(NODE, `${WEB}/more`), /no rule/);
  assert.match(refusal(`x${NODE}`, WEB), /no rule/, 'patterns match the whole');
  assert.match(refusal('spiffe://clusterXlocal/fairlead/node/n1', WEB), /no rule/, 'a dot is a dot');
  assert.is(refusal(NODE, WEB, ['web.svc.cluster.local', 'a.b.mesh.example']), 'allowed');
  assert.match(refusal(NODE, WEB, ['evil.example']), /host name evil\.example/);
  assert.match(refusal(WEB, WEB, ['web.svc.cluster.local']), /host name/, 'its own identity brings no host names');
});

test('lives are cut to the cap of the rule and of the policy', () => {
  const hours = (name: string, identity: string, wanted?: number): number =>
    lifeFor(policy, caller(name), identity, wanted === undefined ? undefined : wanted * 3_600_000) / 3_600_000;
  assert.is(hours(WEB, WEB), 1);
  assert.is(hours(WEB, WEB, 100), 12);
  assert.is(hours(NODE, WEB, 100), 2);
  assert.is(hours(NODE, WEB, 0.5), 0.5);
});

test('everything that is wrong with a policy is said, with its line', () => {
  try {
    parsePolicy(
      'ttl:\n  default: 24h\n  max: soon\nallow:\n  - callers: [a]\n    identites: [b]\njwt:\n  - issuer: x\n    jwks: http://x/keys\n',
      'p.yaml',
    );
    assert.unreachable();
  } catch (error) {
    assert.instance(error, FairleadError);
    const found = (error as FairleadError).problems.map(({ position, message }) => `${position?.line}: ${message}`);
    assert.ok(
      found.some((line) => /^3: max must be a duration/.test(line)),
      found.join('\n'),
    );
    assert.ok(
      found.some((line) => /^6: there is no field identites/.test(line)),
      found.join('\n'),
    );
    assert.ok(
      found.some((line) => /^5: a rule needs identities/.test(line)),
      found.join('\n'),
    );
    assert.ok(
      found.some((line) => /^9: jwks must be a file or an https URL/.test(line)),
      found.join('\n'),
    );
    assert.ok(
      found.some((line) => /audiences must name at least one/.test(line)),
      found.join('\n'),
    );
  }
  for (const text of ['[', 'a: 1\na: 2', 'text', 'allow: 3']) assert.throws(() => parsePolicy(text, 'p.yaml'), /is not valid/);
  assert.is(parsePolicy('', 'p.yaml').rateLimit.perMinute, 600);
});

test.run();
