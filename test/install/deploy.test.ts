/** The chart and the Dockerfile: in step with what is installed, and good for what they are made for. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAllDocuments, stringify } from 'yaml';
import { manifestsOf } from '../../src/install/manifests.ts';
import { type Manifest, refKey, refOf } from '../../src/install/objects/object.ts';
import { USER } from '../../src/install/objects/pods.ts';
import { resolveSettings } from '../../src/install/settings/resolve.ts';
import type { SettingsFile } from '../../src/install/settings/schema.ts';
import { helm } from '../support/helm.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

test('deploy/ is what scripts/deploy.ts makes', () => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/deploy.ts', '--check'], { cwd: root, encoding: 'utf8' });
  assert.is(status, 0, stderr);
});

const found = helm();
if (typeof found !== 'string') {
  console.log(`SKIP the Helm chart: ${found.missing}`);
} else {
  const scratch = mkdtempSync(join(tmpdir(), 'fairlead-chart-'));
  test.after(() => rmSync(scratch, { recursive: true, force: true }));
  const rendered = (values: object, ...args: string[]): Manifest[] => {
    const file = join(scratch, 'values.yaml');
    writeFileSync(file, stringify(values));
    const command = ['template', 'mesh', join(root, 'deploy/helm/fairlead'), '--kube-version', '1.36.0', '-f', file, ...args];
    const { status, stdout, stderr } = spawnSync(found, command, { encoding: 'utf8' });
    assert.is(status, 0, stderr);
    return parseAllDocuments(stdout)
      .map((document) => document.toJS() as Manifest | null)
      .filter((object) => object !== null);
  };
  /** As helm has it: without the namespace, and with another manager's name. */
  const expected = (settings: SettingsFile): Record<string, Manifest> => {
    const all = manifestsOf(resolveSettings(settings, { revision: '', version }), version);
    const text = JSON.stringify(all.filter(({ kind }) => kind !== 'Namespace' && kind !== 'CustomResourceDefinition'));
    return byName(
      JSON.parse(text.replaceAll('"app.kubernetes.io/managed-by":"fairlead"', '"app.kubernetes.io/managed-by":"Helm"')) as Manifest[],
    );
  };
  const byName = (objects: readonly Manifest[]): Record<string, Manifest> =>
    Object.fromEntries(objects.map((object) => [refKey(refOf(object)), object] as const).sort(([a], [b]) => (a < b ? -1 : 1)));

  test('without values the chart has what an installation without settings has', () => {
    assert.equal(byName(rendered({}, '-n', 'fairlead-system')), expected({}));
  });

  test('values are settings', () => {
    const settings = {
      image: 'registry.example.com/fairlead:2',
      imagePullPolicy: 'Always',
      imagePullSecrets: ['one', 'two'],
      logFormat: 'text',
      meshConfig: { accessLogFile: '/dev/stdout', trustDomain: 'prod.example.com' },
      ca: { storage: { size: '2Gi', className: 'fast' }, resources: { requests: { cpu: '1' } }, nodeSelector: { disk: 'ssd' } },
      agent: { nodeSelector: { os: 'linux' }, tolerations: [{ key: 'a', operator: 'Exists' }], priorityClassName: 'ours' },
      injection: { enabled: true, namespaces: ['shop', '*'], engine: 'envoy', capture: 'redirect', logLevel: 'debug', replicas: 3 },
      gateways: {
        ingressgateway: { credentials: ['shop'], replicas: { min: 3, max: 9, cpu: 50 }, nodeSelector: { zone: 'edge' } },
        internal: {
          labels: { istio: 'inside' },
          engine: 'embedded',
          service: { type: 'ClusterIP', annotations: { a: 'b' } },
          ports: [{ name: 'http', port: 8000, targetPort: 8000 }],
          podAnnotations: { c: 'd' },
          resources: { requests: { cpu: '2', memory: '1Gi' } },
        },
      },
    } satisfies SettingsFile;
    // Helm merges maps of values, so that limits of the defaults would stay.
    const none = { limits: null };
    const values = {
      ...settings,
      ca: { ...settings.ca, resources: { requests: { cpu: '1', memory: null }, ...none } },
      gateways: {
        ...settings.gateways,
        internal: { ...settings.gateways.internal, resources: { ...settings.gateways.internal.resources, limits: { memory: '1Gi' } } },
      },
    };
    const wanted = { ...settings, namespace: 'mesh', gateways: values.gateways } as unknown as SettingsFile;
    assert.equal(byName(rendered(values, '-n', 'mesh')), expected(wanted));
  });

  test('sidecars that read the mesh themselves, and none at all', () => {
    const alone: SettingsFile = { injection: { enabled: true, agent: 'pod', namespaces: ['shop'] } };
    assert.equal(byName(rendered(alone, '-n', 'fairlead-system')), expected(alone));
    const none = { injection: { enabled: false }, status: false };
    assert.equal(byName(rendered(none, '-n', 'fairlead-system')), expected(none));
    const nothing = { ...none, gateways: { ingressgateway: null } };
    assert.equal(byName(rendered(nothing, '-n', 'fairlead-system')), expected({ profile: 'minimal' }));
    const unsaid = { status: false };
    assert.equal(byName(rendered(unsaid, '-n', 'fairlead-system')), expected(unsaid));
    const gateways = { injection: { enabled: false } };
    assert.equal(byName(rendered(gateways, '-n', 'fairlead-system')), expected(gateways));
  });

  test('values that the settings refuse are refused', () => {
    for (const injection of [{ capture: 'redirect' }, { agent: 'pod' }]) {
      writeFileSync(join(scratch, 'wrong.yaml'), stringify({ injection }));
      const { status, stderr } = spawnSync(
        found,
        ['template', join(root, 'deploy/helm/fairlead'), '--kube-version', '1.36.0', '-f', join(scratch, 'wrong.yaml')],
        {
          encoding: 'utf8',
        },
      );
      assert.is(status, 1);
      assert.match(stderr, /injection\.(capture redirect|agent pod) needs injection/);
    }
  });

  test('helm finds nothing wrong with the chart; the definitions come with it', () => {
    const { status, stdout } = spawnSync(found, ['lint', '--strict', join(root, 'deploy/helm/fairlead')], { encoding: 'utf8' });
    assert.is(status, 0, stdout);
    const kinds = rendered({}, '--include-crds').filter(({ kind }) => kind === 'CustomResourceDefinition');
    assert.is(kinds.length, 15);
  });
}

test('the steps of the Dockerfile give a program that runs as the pods do', () => {
  const text = readFileSync(join(root, 'deploy/Dockerfile'), 'utf8');
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-image-'));
  try {
    const stage = (name: string): string[] => {
      const lines = (text.split(new RegExp(`^FROM .* AS ${name}$`, 'm'))[1] as string).split(/^FROM /m)[0] as string;
      return [...lines.matchAll(/^RUN (.*)$/gm)].map(([, command]) => command as string);
    };
    // This checkout is installed and built already, and is not to be built anew under other tests.
    const steps = [
      ...stage('build')
        .filter((step) => step !== 'npm ci')
        .map((step) => step.replace('npm pack', 'npm pack --ignore-scripts')),
      ...stage('base'),
    ];
    assert.is(steps.length, 2);
    const env = {
      ...process.env,
      PATH: `${dirname(process.execPath)}:${process.env['PATH']}`,
      npm_config_prefix: join(folder, 'usr'),
      npm_config_cache: join(folder, 'cache'),
    };
    mkdirSync(join(folder, 'usr/lib'), { recursive: true });
    for (const step of steps) {
      const { status, stdout, stderr } = spawnSync('sh', ['-ec', step.replaceAll('/out', join(folder, 'out'))], {
        cwd: root,
        env,
        encoding: 'utf8',
      });
      if (status !== 0 && !process.env['CI'] && /ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ENETUNREACH/.test(stdout + stderr)) {
        console.log('SKIP the Dockerfile: its packages cannot be installed without a network');
        return;
      }
      assert.is(status, 0, `${step}\n${stdout}${stderr}`);
    }
    const [program] = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(text)?.[1] ?? '[]') as string[];
    const { stdout } = spawnSync(join(folder, 'usr/bin', program as string), ['version'], { env, encoding: 'utf8' });
    assert.match(stdout, new RegExp(version.replaceAll('.', '\\.')));
    assert.is(/^USER (\d+):\1$/m.exec(text)?.[1], String(USER));
    assert.is(text.trimEnd().split('\n').at(-1), 'FROM base AS fairlead');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.run();
