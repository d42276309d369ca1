import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { textFile } from '../../../src/config/text-file.ts';
import { injectSettingsOf } from '../../../src/install/inject/from-settings.ts';
import { injectPod } from '../../../src/install/inject/inject-pod.ts';
import type { ContainerJson, PodSpecJson } from '../../../src/install/inject/pod.ts';
import { manifestsOf } from '../../../src/install/manifests.ts';
import type { Manifest } from '../../../src/install/objects/object.ts';
import { readSettings } from '../../../src/install/settings/read-settings.ts';
import { resolveSettings } from '../../../src/install/settings/resolve.ts';
import type { SettingsFile } from '../../../src/install/settings/schema.ts';

const who = { revision: '', version: '1.2.3' };
const objects = (injection: SettingsFile['injection'] & object, revision = ''): Manifest[] =>
  manifestsOf(resolveSettings({ profile: 'minimal', definitions: false, injection }, { ...who, revision }), '1.2.3');
function named(all: readonly Manifest[], kind: string, name: string): Manifest {
  const found = all.find((o) => o.kind === kind && o.metadata.name === name);
  assert.ok(found, `${kind} ${name}`);
  return found as Manifest;
}
const specOf = (deployment: Manifest) => (deployment['spec'] as { template: { spec: PodSpecJson } }).template.spec;

test('without injection there are no webhooks, no agents of nodes, and no rights for anybody', () => {
  const all = objects({});
  assert.not(all.some(({ kind }) => kind.endsWith('WebhookConfiguration')));
  assert.not.match(JSON.stringify(all), /system:serviceaccounts|DaemonSet/);
});

test('rights are those of the accounts of the named namespaces', () => {
  const subjects = (namespaces: string[], agent: 'node' | 'pod' = 'pod') =>
    (
      named(objects({ enabled: true, namespaces, agent }), 'ClusterRoleBinding', 'fairlead-agent-fairlead-system')['subjects'] as {
        kind: string;
        name: string;
      }[]
    ).map(({ kind, name }) => `${kind} ${name}`);
  assert.equal(subjects(['shop', 'billing']), ['Group system:serviceaccounts:shop', 'Group system:serviceaccounts:billing']);
  assert.equal(subjects(['*']), ['Group system:serviceaccounts']);
  // Sidecars that ask the agent of their node need none, and those of other namespaces have none.
  assert.equal(subjects([], 'node'), ['ServiceAccount fairlead-agent']);
  assert.equal(subjects(['shop'], 'node'), ['ServiceAccount fairlead-agent', 'Group system:serviceaccounts:shop']);
});

test('what is injected is what the settings in the server’s ConfigMap say', async () => {
  const settings = resolveSettings(
    {
      profile: 'minimal',
      image: 'registry.example.com/fairlead:1',
      imagePullSecrets: ['registry'],
      imagePullPolicy: 'Always',
      logFormat: 'text',
      injection: {
        namespaces: ['shop'],
        engine: 'embedded',
        nativeSidecar: false,
        logLevel: 'debug',
        resources: { requests: { cpu: '7m' } },
      },
    },
    { ...who, revision: 'canary' },
  );
  const map = named(manifestsOf(settings, '1.2.3'), 'ConfigMap', 'fairlead-webhook-canary');
  const text = (map['data'] as Record<string, string>)['settings.yaml'] as string;
  const read = await readSettings({ files: [textFile('settings.yaml', text)], sets: [], revision: 'canary', version: '9.9.9' });
  assert.equal(injectSettingsOf(read.settings, 'roots'), injectSettingsOf(settings, 'roots'));
});

test('every flag of the server and of sidecars is a flag of its command; volumes and ports meet', () => {
  const { commands } = JSON.parse(readFileSync(new URL('../../../oclif.manifest.json', import.meta.url), 'utf8')) as {
    commands: Record<string, { flags: Record<string, { type: string; options?: string[]; exclusive?: string[]; dependsOn?: string[] }> }>;
  };
  const settings = resolveSettings({ injection: { namespaces: ['*'] } }, who);
  const pods = [true, false].map((strict) => {
    const outcome = injectPod(
      { spec: { containers: [{ name: 'a', image: 'a' }] } },
      { namespace: 'shop', strict },
      injectSettingsOf(settings, 'roots'),
    );
    assert.ok(outcome.injected);
    return (outcome.injected ? outcome.pod.spec : {}) as PodSpecJson;
  });
  const specs = [
    specOf(named(objects({ namespaces: ['*'] }), 'Deployment', 'fairlead-webhook')),
    specOf(named(objects({ namespaces: ['*'] }, 'canary'), 'Deployment', 'fairlead-webhook-canary')),
    specOf(named(objects({}), 'Deployment', 'fairlead-ca')),
    ...pods,
  ];
  for (const spec of specs) {
    for (const { name, args, volumeMounts } of [...(spec.initContainers ?? []), ...(spec.containers ?? [])] as (ContainerJson & {
      args?: string[];
    })[]) {
      for (const mount of volumeMounts ?? [])
        assert.ok(
          spec.volumes?.some((volume) => volume.name === mount['name']),
          `${name}: ${mount['name']}`,
        );
      if (args === undefined) continue;
      const first = args.findIndex((arg) => arg.startsWith('-'));
      const command = commands[args.slice(0, first).join(':')];
      for (let i = first; i < args.length; i++) {
        const flag = command?.flags[(args[i] as string).replace('--', '')];
        assert.ok(flag, `${args[i]} of ${args.slice(0, first).join(' ')}`);
        for (const other of flag?.exclusive ?? []) assert.not(args.includes(`--${other}`), `${args[i]} and --${other}`);
        for (const other of flag?.dependsOn ?? []) assert.ok(args.includes(`--${other}`), `${args[i]} without --${other}`);
        if (flag?.type !== 'option') continue;
        i++;
        assert.ok(flag.options === undefined || flag.options.includes(args[i] as string), args[i]);
      }
    }
  }
});

test('a revision has a server, configurations and names of its own, and the CA lets it have them', () => {
  const own = objects({ namespaces: ['shop'] }, 'canary').map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  const base = new Set(objects({ namespaces: ['shop'] }).map(({ kind, metadata }) => `${kind} ${metadata.name}`));
  assert.ok(own.includes('MutatingWebhookConfiguration fairlead-sidecar-injector-canary'));
  assert.equal(
    own.filter((name) => base.has(name)),
    [],
  );
  assert.match(
    JSON.stringify(specOf(named(objects({}), 'Deployment', 'fairlead-ca'))),
    /fairlead-webhook\*=fairlead-webhook\*\.fairlead-system\.svc/,
  );
});

test.run();
