/** What a revision tag consists of, beside the installations that it leads to. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { analyze } from '../../src/analysis/analyze.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { manifestsOf } from '../../src/install/manifests.ts';
import type { Manifest } from '../../src/install/objects/object.ts';
import { resolveSettings } from '../../src/install/settings/resolve.ts';
import { tagManifests } from '../../src/install/tags/tag-objects.ts';

const NAMESPACE = 'fairlead-system';
const version = '1.2.3';
const installation = (revision: string): Manifest[] => manifestsOf(resolveSettings({}, { revision, version }), version);
const tag = (name: string, revision: string): Manifest[] => tagManifests({ tag: name, revision, namespace: NAMESPACE }, version);

const findingsOf = async (...manifests: Manifest[]): Promise<string[]> => {
  const loaded = await parseConfig(manifests.map((manifest) => JSON.stringify(manifest)).join('\n---\n'), 'x.yaml');
  return (await analyze(loaded)).findings.map(({ code, message }) => `${code} ${message}`);
};

test('tags beside two revisions are nothing to find fault with', async () => {
  assert.equal(await findingsOf(...installation(''), ...installation('canary'), ...tag('prod', 'canary'), ...tag('default', 'canary')), []);
});

test('two injectors that answer for the same tag are found', async () => {
  const [, , configuration] = tag('prod', 'canary');
  const other = { ...configuration!, metadata: { ...configuration!.metadata, name: 'somebody-elses' } };
  const found = await findingsOf(...installation(''), ...installation('canary'), ...tag('prod', 'canary'), other);
  assert.ok(
    found.some((text) => /IST0139 .*fairlead-revision-tag-prod\/rev\.namespace.* overlaps with somebody-elses/.test(text)),
    found.join('\n'),
  );
});

test('a tag lets the server of its revision write into its own configuration, and nobody else', () => {
  const [role, binding, configuration] = tag('prod', 'canary');
  assert.equal(role?.['rules'], [
    {
      apiGroups: ['admissionregistration.k8s.io'],
      resources: ['mutatingwebhookconfigurations'],
      resourceNames: [configuration?.metadata.name],
      verbs: ['get', 'patch'],
    },
  ]);
  assert.equal(binding?.['subjects'], [{ kind: 'ServiceAccount', name: 'fairlead-webhook-canary', namespace: NAMESPACE }]);
});

test('API servers ask the tag default before the installation that answers for the name of itself', () => {
  const names = [...installation(''), ...tag('default', 'canary')].filter(({ kind }) => kind === 'MutatingWebhookConfiguration');
  assert.equal(names.map(({ metadata }) => metadata.name).sort(), ['fairlead-revision-tag-default', 'fairlead-sidecar-injector']);
});

test.run();
