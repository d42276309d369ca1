/** Changes of a cluster's objects before they are written, and who else would write them. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadSource } from '../../src/config/load.ts';
import { ObjectPlace, type SourceObject } from '../../src/config/source-object.ts';
import { managerOf } from '../../src/edit/live/managed-by.ts';
import { createObjectDraft } from '../../src/edit/live/object-draft.ts';
import type { LiveObject } from '../../src/install/live/cluster-api.ts';

const object = (kind: string, name: string, spec: object): SourceObject => {
  const value = { apiVersion: 'networking.istio.io/v1', kind, metadata: { name, namespace: 'shop' }, spec };
  return { value, source: new ObjectPlace('prod', value) };
};
const route = object('VirtualService', 'reviews', { hosts: ['reviews'], http: [{ route: [{ destination: { host: 'reviews' } }] }] });
const rule = object('DestinationRule', 'reviews', { host: 'reviews' });
const load = async (objects: SourceObject[]) =>
  (await loadSource({ name: 'x', read: async () => ({ files: [], objects, problems: [] }) })).resources;
const codeOf = (work: () => unknown): string | undefined => {
  try {
    work();
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

test('what a route needs comes before it; what is as it was is no change', async () => {
  const [service, destinations] = await load([route, rule]);
  const draft = createObjectDraft([route, rule]);
  draft.set(service!, ['spec', 'http', 0, 'timeout'], '2s');
  draft.set(destinations!, ['spec', 'subsets'], [{ name: 'v1' }]);
  const changes = draft.changes();
  assert.equal(
    changes.map(({ ref: { kind, namespace, name } }) => `${kind} ${namespace}/${name}`),
    ['DestinationRule shop/reviews', 'VirtualService shop/reviews'],
  );
  assert.equal(changes[1]?.after?.['spec'], {
    hosts: ['reviews'],
    http: [{ route: [{ destination: { host: 'reviews' } }], timeout: '2s' }],
  });
  assert.not.ok('timeout' in (route.value['spec'] as { http: object[] }).http[0]!, 'what was read is not touched');
  const same = createObjectDraft([route]);
  same.set(service!, ['spec', 'hosts'], ['reviews']);
  assert.equal(same.changes(), []);
});

test('a new object takes no other’s place, and what is no object of the cluster is not changed', async () => {
  const draft = createObjectDraft([route]);
  assert.is(
    codeOf(() => draft.add('', undefined, { ...route.value, spec: { hosts: ['other'] } })),
    'E_EDIT_REFUSED',
  );
  const [elsewhere] = await load([object('VirtualService', 'other', { hosts: ['other'] })]);
  assert.is(
    codeOf(() => draft.remove(elsewhere!)),
    'E_EDIT_REFUSED',
  );
  draft.add('', undefined, { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata: { name: 'x' }, spec: {} });
  assert.is(draft.changes()[0]?.ref.namespace, 'default');
});

test('who would take a change back', () => {
  const manager = (metadata: object): string | undefined =>
    managerOf({ apiVersion: 'v1', kind: 'X', metadata: { name: 'x', ...metadata } } as LiveObject)?.name;
  assert.is(manager({}), undefined);
  assert.is(manager({ labels: { 'app.kubernetes.io/instance': 'shop' } }), undefined, 'a label that everybody uses');
  assert.is(manager({ annotations: { 'argocd.argoproj.io/tracking-id': 'a:b' } }), 'Argo CD');
  assert.is(manager({ managedFields: [{ manager: 'argocd-controller', operation: 'Apply' }] }), 'Argo CD');
  const flux = { 'kustomize.toolkit.fluxcd.io/name': 'apps' };
  assert.is(manager({ labels: flux }), 'Flux');
  assert.is(manager({ labels: { 'helm.toolkit.fluxcd.io/name': 'apps' } }), 'Flux');
  assert.is(manager({ labels: flux, annotations: { 'kustomize.toolkit.fluxcd.io/reconcile': 'disabled' } }), undefined);
  assert.is(manager({ labels: flux, annotations: { 'kustomize.toolkit.fluxcd.io/ssa': 'IfNotPresent' } }), undefined);
  assert.is(manager({ labels: { 'app.kubernetes.io/managed-by': 'Helm' }, annotations: { 'meta.helm.sh/release-name': 'shop' } }), 'Helm');
  const owner = { apiVersion: 'flagger.app/v1beta1', kind: 'Canary', name: 'reviews', uid: 'u' };
  assert.is(manager({ ownerReferences: [{ ...owner, controller: true }] }), 'Canary reviews');
  assert.is(manager({ ownerReferences: [owner] }), undefined);
});

test.run();
