import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { analyze } from '../../src/analysis/analyze.ts';
import { opaqueSource } from '../../src/config/document-source.ts';
import type { Resource } from '../../src/config/resource.ts';

const service = (cluster: string, spec: object): Resource => ({
  apiVersion: 'v1',
  group: '',
  version: 'v1',
  kind: 'Service',
  metadata: { name: 'reviews', namespace: 'shop', labels: {}, annotations: {}, creationTime: undefined },
  spec,
  source: opaqueSource(cluster),
});

const http = { ports: [{ name: 'http', port: 80 }] };

async function inconsistencies(...resources: Resource[]) {
  const { findings } = await analyze({ resources, problems: [], meshConfig: undefined });
  return findings.filter((finding) => finding.code === 'IST0170').map((finding) => finding.args);
}

test('a Service that differs between clusters is reported once, with the clusters and every reason', async () => {
  const [args, ...more] = await inconsistencies(
    service('kubernetes:east', http),
    service('kubernetes:north', http),
    service('kubernetes:west', { clusterIP: 'None', type: 'NodePort', ports: [{ name: 'http', port: 81 }] }),
  );
  assert.equal(more, []);
  assert.equal(args, {
    serviceName: 'reviews',
    namespace: 'shop',
    clusters: ['east', 'west'],
    error: 'some are headless and some are not; their types differ; their ports differ',
  });
});

test('the same Service in several clusters is fine, and files are no clusters', async () => {
  assert.equal(await inconsistencies(service('kubernetes:east', http), service('kubernetes:west', { ...http, type: 'ClusterIP' })), []);
  assert.equal(await inconsistencies(service('a.yaml', http), service('b.yaml', { ports: [] })), []);
});

test.run();
