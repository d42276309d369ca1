import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { findKind, kindByName, kinds } from '../../../src/config/kinds/registry.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

test('objects are found by apiVersion and kind, in every served version', () => {
  for (const kind of kinds) {
    for (const version of kind.versions) assert.is(findKind(kind.group === '' ? version : `${kind.group}/${version}`, kind.kind), kind);
  }
  const served: [kind: string, group: string, versions: string[]][] = [
    ['VirtualService', 'networking.istio.io', ['v1', 'v1beta1', 'v1alpha3']],
    ['EnvoyFilter', 'networking.istio.io', ['v1alpha3']],
    ['ProxyConfig', 'networking.istio.io', ['v1beta1']],
    ['AuthorizationPolicy', 'security.istio.io', ['v1', 'v1beta1']],
    ['Telemetry', 'telemetry.istio.io', ['v1', 'v1alpha1']],
    ['WasmPlugin', 'extensions.istio.io', ['v1alpha1']],
  ];
  for (const [kind, group, versions] of served) assert.equal(findKind(`${group}/${versions[0]}`, kind)?.versions, versions);
});

test('nothing else is found', () => {
  const unknown: [apiVersion: string, kind: string][] = [
    ['networking.istio.io/v2', 'VirtualService'],
    ['networking.istio.io/v1', 'virtualservice'],
    ['networking.istio.io/v1', 'EnvoyFilter'],
    ['v1', 'VirtualService'],
    ['', 'Service'],
    ['/v1', 'Service'],
    ['security.istio.io/v1', 'VirtualService'],
    ['v1', '__proto__'],
    ['constructor', 'constructor'],
  ];
  for (const [apiVersion, kind] of unknown) assert.is(findKind(apiVersion, kind), undefined, `${apiVersion} ${kind}`);
});

test('two kinds of one name are told apart by the group', () => {
  assert.is(findKind('networking.istio.io/v1', 'Gateway')?.group, 'networking.istio.io');
  assert.is(findKind('gateway.networking.k8s.io/v1', 'Gateway')?.group, 'gateway.networking.k8s.io');
  assert.is(kindByName('gateway')?.group, 'networking.istio.io');
  assert.is(kindByName('gtw')?.group, 'gateway.networking.k8s.io');
  assert.is(kindByName('gateways.gateway.networking.k8s.io')?.group, 'gateway.networking.k8s.io');
});

test('people may name a kind as they like', () => {
  const names: [name: string, kind: string][] = [
    ['vs', 'VirtualService'],
    ['dr', 'DestinationRule'],
    ['gw', 'Gateway'],
    ['se', 'ServiceEntry'],
    ['we', 'WorkloadEntry'],
    ['wg', 'WorkloadGroup'],
    ['ap', 'AuthorizationPolicy'],
    ['pa', 'PeerAuthentication'],
    ['ra', 'RequestAuthentication'],
    ['telemetry', 'Telemetry'],
    ['telemetries', 'Telemetry'],
    ['VirtualService', 'VirtualService'],
    ['VIRTUALSERVICES', 'VirtualService'],
    ['Vs', 'VirtualService'],
    ['virtualservice.networking.istio.io', 'VirtualService'],
    ['workloadentries', 'WorkloadEntry'],
    ['svc', 'Service'],
    ['po', 'Pod'],
    ['deploy', 'Deployment'],
    ['cm', 'ConfigMap'],
    ['sa', 'ServiceAccount'],
    ['ns', 'Namespace'],
    ['endpoints', 'Endpoints'],
    ['crd', 'CustomResourceDefinition'],
    ['gc', 'GatewayClass'],
    ['httproute', 'HTTPRoute'],
  ];
  for (const [name, kind] of names) assert.is(kindByName(name)?.kind, kind, name);
  for (const name of ['', 'virtual service', '__proto__', 'constructor', 'mesh']) assert.is(kindByName(name), undefined, name);
});

test('no name means two kinds of one group', () => {
  const seen = new Map<string, string>();
  for (const kind of kinds) {
    for (const name of new Set([kind.kind.toLowerCase(), kind.plural, ...kind.shortNames])) {
      assert.is(name, name.toLowerCase());
      const key = `${name}.${kind.group}`;
      assert.is(seen.get(key), undefined, key);
      seen.set(key, kind.kind);
    }
  }
});

test('the declarations load without TypeBox, whose own code takes longer than a whole command may', () => {
  const script = `
    import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
    await import('./src/config/kinds/registry.ts');
    await import('./src/config/kinds/mesh-config.ts');
    console.log(JSON.stringify(loaded));`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: root, encoding: 'utf8' });
  assert.is(status, 0, stderr);
  const loaded: string[] = JSON.parse(stdout);
  assert.ok(loaded.some((url) => url.endsWith('/virtual-service.ts')));
  assert.equal(
    loaded.filter((url) => url.includes('node_modules')),
    [],
  );
});

test('docs/kinds.md is what the declarations say', () => {
  const { stderr, status } = spawnSync(process.execPath, ['scripts/kinds-docs.ts', '--check'], { cwd: root, encoding: 'utf8' });
  assert.is(status, 0, stderr);
});

test.run();
