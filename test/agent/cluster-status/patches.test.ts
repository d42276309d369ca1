/** What is written of a status, and when nothing is. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { LiveCondition, LiveObject, WantedCondition } from '../../../agent/cluster-status/live-object.ts';
import { createSettling } from '../../../agent/cluster-status/settle.ts';
import { eventsOf } from '../../../agent/cluster-status/status-events.ts';
import { gatewayPatch, istioPatch, routePatch } from '../../../agent/cluster-status/status-patch.ts';

const T0 = '2026-01-01T00:00:00Z';
const T1 = '2026-01-02T00:00:00Z';

const live = (status: object | undefined, generation = 1): LiveObject => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name: 'a', namespace: 'shop', uid: 'u', generation, resourceVersion: '7' },
  ...(status && { status: status as LiveObject['status'] & object }),
});
const wanted = (status: 'True' | 'False', reason: string, message: string): WantedCondition => ({
  type: 'Reconciled',
  status,
  reason,
  message,
});
const said = (status: string, reason: string, message: string, observedGeneration: number, more: object = {}): LiveCondition => ({
  type: 'Reconciled',
  status,
  reason,
  message,
  observedGeneration,
  lastTransitionTime: T0,
  ...more,
});
const applied = wanted('True', 'Applied', 'applied by 4 of 4 proxies');
const statusOf = (patch: ReturnType<typeof istioPatch>) => patch?.body['status'] as { conditions: LiveCondition[] } | undefined;

test('what is said already is not written, whoever said it and with whatever count; a text for the generation is a number', () => {
  assert.is(istioPatch(live({ conditions: [said('True', 'Applied', 'applied by 4 of 4 proxies', 1)] }), [applied], T1), undefined);
  assert.is(istioPatch(live({ conditions: [said('True', 'Applied', 'applied by 1 of 1 proxy', 1)] }), [applied], T1), undefined);
  assert.is(
    istioPatch(live({ conditions: [said('True', 'Applied', applied.message, 1, { observedGeneration: '1' })] }), [applied], T1),
    undefined,
  );
  assert.ok(istioPatch(live({ conditions: [said('True', 'Applied', 'applied by 1 of 1 proxy', 1)] }), [applied], T1, true), 'exactly');
});

test('where something is wrong every word counts', () => {
  const before = live({ conditions: [said('False', 'Pending', 'applied by 2 of 4 proxies; not by a', 1)] });
  assert.ok(istioPatch(before, [wanted('False', 'Pending', 'applied by 3 of 4 proxies; not by a')], T1));
});

test('the time of the transition changes with the status alone', () => {
  const next = istioPatch(live({ conditions: [said('True', 'Applied', applied.message, 1)] }, 2), [applied], T1);
  assert.equal(statusOf(next)?.conditions, [{ ...applied, observedGeneration: 2, lastTransitionTime: T0 }]);
  const refused = istioPatch(live({ conditions: [said('True', 'Applied', applied.message, 1)] }), [wanted('False', 'Refused', 'x')], T1);
  assert.is(statusOf(refused)?.conditions[0]?.lastTransitionTime, T1);
});

test('conditions of others are written as they were read, and only if nobody wrote since', () => {
  const other = { type: 'PassedValidation', status: 'True', lastTransitionTime: T0 };
  const patch = istioPatch(live({ conditions: [said('False', 'Pending', 'x', 1), other] }), [applied], T1);
  assert.equal(statusOf(patch)?.conditions[0], other);
  assert.is((patch!.body['metadata'] as { resourceVersion: string }).resourceVersion, '7');
});

test('routes: the own entries alone are replaced, and go with the parent', () => {
  const parentRef = { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'web' };
  const accepted: WantedCondition = { type: 'Accepted', status: 'True', reason: 'Accepted', message: '' };
  const foreign = { controllerName: 'example.com/x', parentRef, conditions: [] };
  const patch = routePatch(live({ parents: [foreign] }), [{ parentRef, conditions: [accepted] }], T1);
  const { parents } = patch!.body['status'] as { parents: { controllerName: string; conditions: LiveCondition[] }[] };
  assert.equal(
    parents.map((p) => p.controllerName),
    ['example.com/x', 'fairlead.dev/gateway-controller'],
  );
  assert.is(routePatch(live({ parents }), [{ parentRef, conditions: [accepted] }], T1), undefined);
  assert.equal(routePatch(live({ parents }), [], T1)?.body['status'], { parents: [foreign] });
  assert.is(routePatch(live({ parents: [foreign] }), [], T1), undefined);
  assert.is(routePatch(live(undefined), [], T1), undefined);
});

test('Gateways: a count of routes, an address or a listener that goes is a change; the same is none', () => {
  const condition: WantedCondition = { type: 'Programmed', status: 'True', reason: 'Programmed', message: '' };
  const listener = { name: 'http', supportedKinds: [], attachedRoutes: 1, conditions: [condition] };
  const status = { conditions: [condition], addresses: [], listeners: [listener] };
  const first = gatewayPatch(live(undefined), status, T1)?.body['status'] as object;
  assert.is(gatewayPatch(live(first), status, T1), undefined);
  assert.ok(gatewayPatch(live(first), { ...status, listeners: [{ ...listener, attachedRoutes: 2 }] }, T1));
  assert.ok(gatewayPatch(live(first), { ...status, listeners: [] }, T1));
  assert.ok(gatewayPatch(live(first), { ...status, addresses: [{ type: 'IPAddress', value: '192.0.2.1' }] }, T1));
});

test('events are of what is refused and of its end, not of what passes by itself', () => {
  const of = (before: LiveCondition | undefined, after: WantedCondition) =>
    eventsOf(live(undefined), [{ before, after }]).map((e) => `${e.type} ${e.reason}`);
  assert.equal(of(undefined, wanted('False', 'Refused', 'x')), ['Warning Refused']);
  assert.equal(of(said('False', 'Refused', 'x', 1), applied), ['Normal Recovered']);
  assert.equal(of(said('True', 'Applied', 'x', 1), wanted('False', 'Pending', 'x')), []);
  assert.equal(of(said('False', 'Pending', 'x', 1), applied), []);
  assert.equal(of(undefined, wanted('False', 'Blocked', 'x')), []);
  assert.equal(
    of(said('True', 'Conflicted', 'x', 1, { type: 'Conflicted' }), {
      type: 'Conflicted',
      status: 'False',
      reason: 'NoConflicts',
      message: '',
    }),
    ['Normal Recovered'],
  );
});

test('what may pass is said when it has lasted, and longer when all was well', () => {
  const settling = createSettling({ pending: 5, relapse: 100, nobody: 15 });
  const pending = wanted('False', 'Pending', 'x');
  assert.is(settling.wait('a', pending, undefined, 1, 1000), 5);
  assert.is(settling.wait('a', pending, undefined, 1, 1004), 1);
  assert.is(settling.wait('a', pending, undefined, 1, 1005), 0);
  assert.is(settling.wait('a', applied, undefined, 1, 1006), 0);
  assert.is(settling.wait('a', pending, said('True', 'Applied', '', 1), 1, 1007), 100);
  assert.is(settling.wait('a', pending, said('True', 'Applied', '', 1), 2, 1008), 5, 'another generation');
  assert.is(settling.wait('a', pending, said('False', 'Pending', 'y', 2), 2, 1009), 0, 'said already');
  assert.is(settling.wait('b', wanted('False', 'Refused', 'x'), undefined, 1, 1000), 0);
});

test.run();
