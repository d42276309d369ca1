import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { policyOfName } from '../../../src/envoy/security/policy-name.ts';
import { meshOf } from '../../mesh/fixture.ts';

const mesh = await meshOf(`apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: two, namespace: shop }
spec:
  rules:
    - to: [{ operation: { methods: [GET] } }]
    - to: [{ operation: { methods: [POST] } }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: nothing, namespace: shop }
spec: {}
`);

/** `line path`, as a log line or explain shows it. */
function place(name: string): string | undefined {
  const found = policyOfName(mesh, name);
  return found && `${found.resource.source.positionOf(found.path).line} ${found.path.join('.')}`;
}

for (const [name, expected] of [
  ['ns[shop]-policy[two]-rule[1]', '7 spec.rules.1'],
  ['rbac_access_denied_matched_policy[ns[shop]-policy[two]-rule[0]]', '6 spec.rules.0'],
  ['istio-ext-authz-ext-ns[shop]-policy[two]-rule[0]', '6 spec.rules.0'],
  ['istio-ext-authz-ext-ns[shop]-policy[two]-rule[0]-deny-due-to-bad-CUSTOM-action', '6 spec.rules.0'],
  ['ns[shop]-policy[nothing]-rule[0]', '12 spec'],
  ['ns[shop]-policy[two]-rule[2]', undefined],
  ['ns[shop]-policy[gone]-rule[0]', undefined],
  ['ns[other]-policy[two]-rule[0]', undefined],
  ['none', undefined],
] as const) {
  test(`${name} is at ${expected}`, () => assert.is(place(name), expected));
}

test.run();
