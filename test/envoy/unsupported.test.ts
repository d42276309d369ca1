import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MeshConfig } from '../../src/config/kinds/mesh-config.ts';
import { kinds } from '../../src/config/kinds/registry.ts';
import { UNSUPPORTED } from '../../src/envoy/unsupported.ts';
import { meshConfigProblems } from '../../src/envoy/unsupported-problems.ts';

interface Schema {
  properties?: Record<string, Schema>;
  items?: Schema;
  patternProperties?: Record<string, Schema>;
}

/** What stands at a path of a schema: the field itself, or an item of its list or map. */
function at(schema: Schema | undefined, path: readonly string[]): Schema | undefined {
  let here = schema;
  for (const key of path) here = key === '*' ? (here?.items ?? Object.values(here?.patternProperties ?? {})[0]) : here?.properties?.[key];
  return here;
}

for (const entry of UNSUPPORTED) {
  test(`${entry.kind} ${entry.path?.join('.') ?? ''} is something that people can write`, () => {
    if (entry.kind === 'MeshConfig') return assert.ok(at(MeshConfig as Schema, entry.path!), 'no such field');
    const kind = kinds.find((k) => k.kind === entry.kind);
    assert.ok(kind, 'no such kind');
    if (entry.path?.[0] === 'spec') assert.ok(at(kind.schema as Schema, entry.path.slice(1)), 'no such field');
  });
}

test('settings that ask for nothing are no problem', () => {
  assert.equal(meshConfigProblems({ enableEnvoyAccessLogService: false, extensionProviders: [], trustDomainAliases: [] }), []);
  assert.equal(
    meshConfigProblems({ trustDomainAliases: ['old.example.com'] }).map((p) => [p.rule, p.path]),
    [['unsupported/MeshConfig.trustDomainAliases', 'trustDomainAliases']],
  );
});

test.run();
