import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type AdmissionRequest, answerInjection, answerValidation, readReview } from '../../../agent/webhook/review.ts';
import { kinds } from '../../../src/config/kinds/registry.ts';
import { injectSettings } from '../../support/inject.ts';

const request = (kind: string, object: object, more: Partial<AdmissionRequest> = {}): AdmissionRequest => ({
  uid: '1',
  kind: kind === 'Pod' ? { group: '', version: 'v1', kind } : { group: 'networking.istio.io', version: 'v1', kind },
  namespace: 'shop',
  operation: 'CREATE',
  object: { apiVersion: kind === 'Pod' ? 'v1' : 'networking.istio.io/v1', kind, ...object },
  ...more,
});
const pod = (annotations: object): AdmissionRequest =>
  request('Pod', { metadata: { generateName: 'web-', annotations }, spec: { containers: [{ name: 'web', image: 'web' }] } });
const route = (regex: string, more: object = {}): object => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name: 'web', namespace: 'shop', managedFields: [{ manager: 'kubectl' }], ...more },
  spec: { hosts: ['web'], http: [{ match: [{ uri: { regex } }], route: [{ destination: { host: 'web' } }] }] },
});

test('what is no review is said', () => {
  const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' };
  for (const value of [
    undefined,
    null,
    [],
    'x',
    {},
    { ...review, apiVersion: 'admission.k8s.io/v1beta1' },
    { ...review, request: { uid: 1 } },
  ])
    assert.ok('wrong' in readReview(value), JSON.stringify(value));
  assert.ok('wrong' in readReview({ ...review, request: { uid: 'a', kind: { group: '', version: 'v1', kind: 'Pod' }, object: null } }));
  assert.ok(!('wrong' in readReview({ ...review, request: { ...pod({}) } })));
});

test('a pod that cannot be injected is let in with a warning', () => {
  const answer = answerInjection(pod({ 'sidecar.istio.io/interceptionMode': 'TPROXY' }), injectSettings, false);
  assert.is(answer.allowed, true);
  assert.is(answer.patch, undefined);
  assert.match(answer.warnings?.[0] ?? '', /^fairlead: it gets no sidecar: .*TPROXY/);
  assert.ok((answer.warnings?.[0]?.length ?? 0) <= 256);
});

test('where Pod Security is strict, a sidecar reads the mesh itself if it may, and is left out if it may not', () => {
  const volumesOf = (patch: string | undefined): string => Buffer.from(patch ?? '', 'base64').toString();
  assert.match(volumesOf(answerInjection(pod({}), injectSettings, false).patch), /"hostPath"/);
  const strict = answerInjection(pod({}), injectSettings, true);
  assert.not.match(volumesOf(strict.patch), /"hostPath"/);
  assert.match(volumesOf(strict.patch), /"serviceAccountToken"/);
  const closed = answerInjection(pod({}), { ...injectSettings, namespaces: [] }, true);
  assert.is(closed.allowed, true);
  assert.is(closed.patch, undefined);
  assert.match(closed.warnings?.[0] ?? '', /not among injection\.namespaces/);
});

test('odd pods break nothing', () => {
  const odd = [{}, { spec: null }, { spec: { containers: null } }, { spec: { containers: [] } }, { metadata: null, spec: {} }];
  for (const object of odd) assert.is(answerInjection(request('Pod', object), injectSettings, false).allowed, true, JSON.stringify(object));
  assert.equal(answerInjection({ ...pod({}), kind: { group: 'apps', version: 'v1', kind: 'Deployment' } }, injectSettings, false), {
    uid: '1',
    allowed: true,
  });
});

test('wrong objects are refused; what was wrong before, what goes and what is not known are not', async () => {
  const wrong = await answerValidation(request('VirtualService', route('(')), kinds);
  assert.is(wrong.allowed, false);
  assert.is(wrong.status?.code, 422);
  assert.match(wrong.status?.message ?? '', /^VirtualService shop\/web is not valid: spec\.http\[0\]\.match\[0\]\.uri\.regex: /);
  assert.is((await answerValidation(request('VirtualService', route('a+')), kinds)).allowed, true);
  const labelled = request('VirtualService', route('(', { labels: { a: 'b' } }), {
    operation: 'UPDATE',
    oldObject: route('(') as Record<string, unknown>,
  });
  const update = await answerValidation(labelled, kinds);
  assert.is(update.allowed, true);
  assert.match(update.warnings?.[0] ?? '', /regex/);
  assert.is((await answerValidation({ ...labelled, oldObject: route('a') as Record<string, unknown> }, kinds)).allowed, false);
  assert.is(
    (await answerValidation(request('VirtualService', route('(', { deletionTimestamp: '2026-01-01T00:00:00Z' })), kinds)).allowed,
    true,
  );
  assert.is(
    (
      await answerValidation(
        { ...request('VirtualService', route('(')), kind: { group: 'networking.istio.io', version: 'v9', kind: 'VirtualService' } },
        kinds,
      )
    ).allowed,
    true,
  );
});

test.run();
