import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { collectionOf } from '../../src/install/live/cluster-api.ts';
import { manifestsOf } from '../../src/install/manifests.ts';
import { type Manifest, refKey, refOf } from '../../src/install/objects/object.ts';
import { resolveSettings, settingsProblems } from '../../src/install/settings/resolve.ts';
import type { SettingsFile } from '../../src/install/settings/schema.ts';

const objects = (file: SettingsFile = {}, revision = ''): Manifest[] =>
  manifestsOf(resolveSettings({ definitions: false, ...file }, { revision, version: '1.2.3' }), '1.2.3');
const names = (list: readonly Manifest[]): string[] => list.map((manifest) => refKey(refOf(manifest)));

interface PodTemplate {
  metadata: { labels: Record<string, string> };
  spec: { containers: Container[]; initContainers?: Container[]; volumes: { name: string }[] };
}

interface Container {
  args?: string[];
  ports?: { name: string; containerPort: number }[];
  volumeMounts: { name: string }[];
  readinessProbe?: { httpGet?: { port: string | number }; tcpSocket?: { port: string } };
}

const templates = (list: readonly Manifest[], kinds = ['Deployment', 'DaemonSet']): PodTemplate[] =>
  list.filter(({ kind }) => kinds.includes(kind)).map(({ spec }) => (spec as { template: PodTemplate }).template);

test('everything has the labels that Kubernetes recommends, and a name of its own', () => {
  const all = objects({ definitions: true });
  assert.is(new Set(names(all)).size, all.length);
  for (const { metadata } of all) assert.is(metadata.labels?.['app.kubernetes.io/managed-by'], 'fairlead');
});

test('the same settings make the same objects', () => {
  assert.equal(objects(), objects());
  assert.is(JSON.stringify(objects()), JSON.stringify(objects()));
});

test('every flag of the containers is a flag of its command', () => {
  const { commands } = JSON.parse(readFileSync(new URL('../../oclif.manifest.json', import.meta.url), 'utf8')) as {
    commands: Record<string, { flags: Record<string, { type: string; options?: string[]; exclusive?: string[]; dependsOn?: string[] }> }>;
  };
  const all = templates(objects()).flatMap(({ spec }) => [...spec.containers, ...(spec.initContainers ?? [])]);
  assert.is(all.length, 6);
  for (const { args } of all) {
    if (args === undefined) continue;
    const first = args.findIndex((arg) => arg.startsWith('-'));
    const command = commands[args.slice(0, first).join(':')];
    assert.ok(command, args.join(' '));
    for (let i = first; i < args.length; i++) {
      const flag = command.flags[(args[i] as string).replace('--', '')];
      assert.ok(flag, `${args[i]} of ${args.slice(0, first).join(' ')}`);
      for (const other of flag.exclusive ?? []) assert.not(args.includes(`--${other}`), `${args[i]} and --${other}`);
      for (const other of flag.dependsOn ?? []) assert.ok(args.includes(`--${other}`), `${args[i]} without --${other}`);
      if (flag.type === 'option') {
        i++;
        assert.ok(flag.options === undefined || flag.options.includes(args[i] as string), args[i]);
      }
    }
  }
});

test('volumes, probes, Services and selectors meet what they are about', () => {
  const all = objects({ gateways: { web: { labels: { app: 'web' } } } });
  for (const { spec, metadata } of templates(all)) {
    for (const container of [...spec.containers, ...(spec.initContainers ?? [])]) {
      for (const { name } of container.volumeMounts)
        assert.ok(
          spec.volumes.some((volume) => volume.name === name),
          name,
        );
      const probe = container.readinessProbe?.httpGet ?? container.readinessProbe?.tcpSocket;
      if (probe) assert.ok(container.ports?.some(({ name, containerPort }) => name === probe.port || containerPort === probe.port));
    }
    assert.ok(metadata.labels);
  }
  for (const service of all.filter(({ kind }) => kind === 'Service')) {
    const { selector, ports } = service['spec'] as { selector: Record<string, string>; ports: { targetPort: number }[] };
    const behind = templates(all).filter(({ metadata: { labels } }) =>
      Object.entries(selector).every(([name, value]) => labels[name] === value),
    );
    assert.is(behind.length, 1, service.metadata.name);
    for (const { targetPort } of ports)
      assert.ok(behind[0]?.spec.containers[0]?.ports?.some(({ containerPort }) => containerPort === targetPort));
  }
  for (const { spec } of all.filter(({ kind }) => kind === 'Deployment' || kind === 'DaemonSet')) {
    const { selector, template } = spec as { selector: { matchLabels: Record<string, string> }; template: PodTemplate };
    for (const [name, value] of Object.entries(selector.matchLabels)) assert.is(template.metadata.labels[name], value);
    // A selector never changes.
    assert.is(selector.matchLabels['app.kubernetes.io/version'], undefined);
  }
});

test('one number of pods: no autoscaler, and the Deployment says it', () => {
  const kindsOf = (replicas: { min: number; max: number }): string[] =>
    objects({ gateways: { ingressgateway: { replicas } } }).map(({ kind }) => kind);
  assert.ok(kindsOf({ min: 1, max: 2 }).includes('HorizontalPodAutoscaler'));
  assert.not(kindsOf({ min: 2, max: 2 }).includes('HorizontalPodAutoscaler'));
  const deployment = (replicas: { min: number; max: number }) =>
    objects({ gateways: { ingressgateway: { replicas } } }).find(
      ({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'ingressgateway',
    )?.['spec'] as { replicas?: number };
  assert.is(deployment({ min: 2, max: 2 }).replicas, 2);
  assert.is(deployment({ min: 1, max: 2 }).replicas, undefined);
});

test('secrets are named one by one, or there is no right at all', () => {
  const named = objects().filter((object) => JSON.stringify(object['rules'] ?? '').includes('"secrets"'));
  assert.equal(names(named), ['rbac.authorization.k8s.io/Role fairlead-system/fairlead-ca'], 'the CA has its own');
  const [, secrets] = (named[0] as Manifest)['rules'] as { resources: string[]; resourceNames: string[]; verbs: string[] }[];
  assert.equal(secrets?.resourceNames, ['fairlead-ca-state']);
  assert.not(secrets?.verbs.includes('create'));
  const roles = objects({ gateways: { web: { credentials: ['a', 'b'] } } }).filter(
    ({ kind, metadata }) => kind === 'Role' && metadata.name === 'web',
  );
  assert.equal(roles[0]?.['rules'], [
    { apiGroups: [''], resources: ['secrets'], resourceNames: ['a', 'b'], verbs: ['get', 'list', 'watch'] },
  ]);
});

test('the trust domain is the CA’s and the mesh’s', () => {
  const all = objects({ meshConfig: { trustDomain: 'prod.example.com' } });
  const [init] = templates(all, ['Deployment']).flatMap(({ spec }) => spec.initContainers ?? []);
  assert.is(init?.args?.at(-1), 'prod.example.com');
  const meshConfig = all.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'istio');
  assert.match((meshConfig!['data'] as { mesh: string }).mesh, /trustDomain: prod\.example\.com/);
});

test('the CA has several pods, or one with a volume', () => {
  const caOf = (file: SettingsFile) => {
    const all = objects(file).filter(({ metadata }) => metadata.name === 'fairlead-ca');
    const { spec } = all.find(({ kind }) => kind === 'Deployment') as unknown as {
      spec: { replicas: number; strategy: { type: string }; template: { spec: { volumes: object[] } } };
    };
    return [
      spec.replicas,
      spec.strategy.type,
      Object.keys(spec.template.spec.volumes[0] as object)[1],
      all.map(({ kind }) => kind),
    ] as const;
  };
  const [replicas, strategy, volume, kinds] = caOf({});
  assert.equal([replicas, strategy, volume], [2, 'RollingUpdate', 'emptyDir']);
  assert.not(kinds.includes('PersistentVolumeClaim'));
  assert.is(caOf({ ca: { replicas: 3 } })[0], 3);
  const stored = caOf({ ca: { storage: { size: '2Gi' } } });
  assert.equal(stored.slice(0, 3), [1, 'Recreate', 'persistentVolumeClaim']);
  assert.ok(stored[3].includes('PersistentVolumeClaim'));
  const both = resolveSettings({ ca: { replicas: 2, storage: {} } }, { revision: '', version: '1.2.3' });
  assert.match(settingsProblems(both)[0]?.message ?? '', /the CA’s volume is for one pod, and it is to have 2/);
});

test('a revision has nothing that the base has', () => {
  const base = new Set(names(objects()));
  const canary = names(objects({}, 'canary'));
  assert.ok(canary.length > 0);
  assert.equal(
    canary.filter((name) => base.has(name)),
    [],
  );
  assert.not(canary.some((name) => /^(Namespace|Secret) |^Service .*gateway/.test(name)));
});

test('the agent of a node is there when sidecars ask it, with a folder of its own for each installation', () => {
  const folderOf = (file: SettingsFile, revision = ''): string | undefined => {
    const [template] = templates(objects(file, revision), ['DaemonSet']);
    return (template?.spec.volumes as { hostPath?: { path: string } }[] | undefined)?.find(({ hostPath }) => hostPath)?.hostPath?.path;
  };
  assert.is(folderOf({}), '/var/run/fairlead/fairlead-system/agent');
  assert.is(folderOf({}, 'canary'), '/var/run/fairlead/fairlead-system/agent-canary');
  assert.is(folderOf({ namespace: 'mesh' }), '/var/run/fairlead/mesh/agent');
  assert.is(folderOf({ profile: 'minimal' }), undefined);
  assert.is(folderOf({ injection: { agent: 'pod', namespaces: ['shop'] } }), undefined);
});

test('only the installation that has an agent of the nodes leaves the standard `restricted`, and still tells of others', () => {
  const labelsOf = (file: SettingsFile): object =>
    Object.fromEntries(
      Object.entries(objects(file).find(({ kind }) => kind === 'Namespace')?.metadata.labels ?? {}).filter(([name]) =>
        name.startsWith('pod-security'),
      ),
    );
  const label = 'pod-security.kubernetes.io';
  assert.equal(labelsOf({ profile: 'minimal' }), { [`${label}/enforce`]: 'restricted' });
  assert.equal(labelsOf({}), { [`${label}/enforce`]: 'privileged', [`${label}/audit`]: 'restricted', [`${label}/warn`]: 'restricted' });
});

test('the agent of a node puts up with all taints and is not evicted, unless the settings say otherwise', () => {
  const specOf = (agent: SettingsFile['agent']) =>
    templates(objects(agent ? { agent } : {}), ['DaemonSet'])[0]?.spec as unknown as Record<string, unknown>;
  const quotas = (agent: SettingsFile['agent']): number =>
    objects(agent ? { agent } : {}).filter(({ kind }) => kind === 'ResourceQuota').length;
  assert.equal(specOf(undefined)['tolerations'], [{ operator: 'Exists' }]);
  assert.is(specOf(undefined)['priorityClassName'], 'system-node-critical');
  assert.is(quotas(undefined), 1);
  const other = { priorityClassName: 'ours', tolerations: [], nodeSelector: { a: 'b' } };
  assert.is(specOf(other)['priorityClassName'], 'ours');
  assert.equal(specOf(other)['tolerations'], []);
  assert.equal(specOf(other)['nodeSelector'], { a: 'b' });
  assert.is(specOf({ priorityClassName: '' })['priorityClassName'], undefined);
  assert.is(quotas(other), 0);
});

test('profiles differ', () => {
  const texts = (['default', 'minimal', 'demo'] as const).map((profile) => JSON.stringify(objects({ profile })));
  assert.is(new Set(texts).size, 3);
  assert.not(objects({ profile: 'minimal' }).some(({ kind }) => kind === 'HorizontalPodAutoscaler'));
});

test('paths of collections', () => {
  assert.is(
    collectionOf({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', namespace: 'a' }),
    '/apis/networking.k8s.io/v1/namespaces/a/networkpolicies',
  );
  assert.is(
    collectionOf({ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', namespace: 'a' }),
    '/apis/networking.k8s.io/v1/namespaces/a/ingresses',
  );
  assert.is(collectionOf({ apiVersion: 'v1', kind: 'Namespace' }), '/api/v1/namespaces');
  assert.is(collectionOf({ apiVersion: 'apps/v1', kind: 'DaemonSet', namespace: 'a' }), '/apis/apps/v1/namespaces/a/daemonsets');
});

test.run();
