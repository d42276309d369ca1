import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MeshConfig } from '../../src/config/kinds/mesh-config.ts';
import { kinds } from '../../src/config/kinds/registry.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { UNSUPPORTED } from '../../src/envoy/unsupported.ts';
import { meshConfigProblems, unsupportedProblems } from '../../src/envoy/unsupported-problems.ts';
import { buildMesh } from '../../src/mesh/mesh.ts';
import { doc, meshOf } from '../mesh/fixture.ts';

interface Schema {
  properties?: Record<string, Schema>;
  items?: Schema;
  patternProperties?: Record<string, Schema>;
}

/** What stands at a path of a schema: the field itself, or an item of its list or map. */
function at(schema: Schema | undefined, path: readonly string[]): Schema | undefined {
  let here = schema;
  for (const key of path) here = here?.properties?.[key] ?? here?.items ?? Object.values(here?.patternProperties ?? {})[0];
  return here;
}

for (const entry of UNSUPPORTED) {
  test(`${entry.kind} ${entry.path?.join('.') ?? ''} is something that people can write`, () => {
    if (entry.kind === 'MeshConfig') return assert.ok(at(MeshConfig as Schema, entry.path!), 'no such field');
    const kind = kinds.find((k) => k.kind === entry.kind && (entry.group === undefined || k.group === entry.group));
    assert.ok(kind, 'no such kind');
    if (entry.path?.[0] === 'spec') assert.ok(at(kind.schema as Schema, entry.path.slice(1)), 'no such field');
  });
}

function networks(text: string, name = 'istio'): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, namespace: istio-system}\ndata:\n  meshNetworks: |\n    ${text}\n`;
}

const policy = (kind: string, name: string, spec: string, metadata = ''): string =>
  doc(kind, name, spec, metadata).replace(
    'networking.istio.io/v1',
    kind === 'Telemetry'
      ? 'telemetry.istio.io/v1'
      : kind === 'WasmPlugin'
        ? 'extensions.istio.io/v1alpha1'
        : kind === 'EnvoyFilter'
          ? 'networking.istio.io/v1alpha3'
          : 'security.istio.io/v1',
  );

const attached = 'targetRefs: [{kind: Service, name: a}]';

const unsupported: [text: string, problem: string | undefined][] = [
  [policy('AuthorizationPolicy', 'p', 'spec: {action: DENY, rules: [{}]}'), undefined],
  [
    policy('AuthorizationPolicy', 'p', `spec: {action: DENY, ${attached}, rules: [{}]}`),
    'error unsupported/AuthorizationPolicy.targetRefs spec.targetRefs',
  ],
  [
    policy('AuthorizationPolicy', 'p', `spec: {action: AUDIT, ${attached}, rules: [{}]}`),
    'warning unsupported/AuthorizationPolicy.targetRefs spec.targetRefs',
  ],
  [
    policy('AuthorizationPolicy', 'p', `spec: {${attached}, rules: [{}]}`, 'annotations: {istio.io/dry-run: "true"}'),
    'warning unsupported/AuthorizationPolicy.targetRefs spec.targetRefs',
  ],
  [
    policy('RequestAuthentication', 'p', 'spec: {targetRef: {kind: Service, name: a}, jwtRules: []}'),
    'error unsupported/RequestAuthentication.targetRef spec.targetRef',
  ],
  [policy('PeerAuthentication', 'p', 'spec: {mtls: {mode: STRICT}}'), undefined],
  [policy('PeerAuthentication', 'p', 'spec: {mtls: {mode: PERMISSIVE}}'), undefined],
  [
    policy('Telemetry', 'p', 'spec: {metrics: [{reportingInterval: 5s}]}'),
    'warning unsupported/Telemetry.metrics.reportingInterval spec.metrics[0].reportingInterval',
  ],
  [
    policy('EnvoyFilter', 'p', 'spec: {configPatches: [{applyTo: CLUSTER, patch: {operation: MERGE, value: {}}}]}'),
    'warning unsupported/EnvoyFilter spec',
  ],
];

unsupported.push(
  [
    'apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: g}\nspec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP}]}\n',
    undefined,
  ],
  [
    'apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: g}\nspec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP}], infrastructure: {labels: {a: b}}}\n',
    'warning unsupported/Gateway.infrastructure spec.infrastructure',
  ],
  [
    'apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: g}\nspec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP}], tls: {frontend: {default: {validation: {caCertificateRefs: [{name: ca, kind: ConfigMap, group: ""}]}}}}}\n',
    'error unsupported/Gateway.tls.frontend spec.tls.frontend',
  ],
  [networks('networks: {a: {endpoints: [{fromRegistry: b}]}}'), 'warning unsupported/ConfigMap.data.meshNetworks spec.data.meshNetworks'],
  [networks('networks: {}'), undefined],
  [networks('networks: {a: {}}', 'other'), undefined],
);

for (const [text, problem] of unsupported) {
  test(`${/kind: (\w+)/.exec(text)?.[1]} gives ${problem ?? 'no problem'}`, async () => {
    const mesh = await meshOf(text);
    const found = unsupportedProblems(mesh);
    assert.equal(
      found.map((p) => `${p.severity} ${p.rule} ${p.path}`),
      problem === undefined ? [] : [problem],
    );
    assert.ok(found.every((p) => p.position?.file === 'test.yaml'));
  });
}

test('settings that ask for nothing are no problem', () => {
  assert.equal(meshConfigProblems({ enableEnvoyAccessLogService: false, extensionProviders: [], certificates: [] }), []);
  assert.equal(
    meshConfigProblems({ certificates: [{ secretName: 'a' }] }).map((p) => [p.rule, p.path]),
    [['unsupported/MeshConfig.certificates', 'certificates']],
  );
});

test('settings are found where they stand: in the ConfigMap that holds them', async () => {
  const text = `apiVersion: v1
kind: ConfigMap
metadata: { name: istio, namespace: istio-system }
data:
  mesh: |
    connectTimeout: 3s
    certificates: [{secretName: a}]
`;
  const { resources, meshConfig, meshConfigSource } = await parseConfig(text, 'settings.yaml');
  const [found] = unsupportedProblems(buildMesh(resources, { meshConfig, meshConfigSource }));
  assert.is(found?.rule, 'unsupported/MeshConfig.certificates');
  assert.equal([found?.position?.file, found?.position?.line], ['settings.yaml', 7]);
});

test.run();
