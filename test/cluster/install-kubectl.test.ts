/** Whatever an installation consists of passes kubectl and the API server, and `analyze` has nothing to say of it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fairlead } from '../support/cli.ts';
import { startKubeApi } from '../support/kube-api.ts';
import { kubectl, runKubectl } from '../support/kubectl.ts';

const SETTINGS: Readonly<Record<string, readonly string[]>> = {
  default: [],
  minimal: ['--profile', 'minimal'],
  demo: ['--profile', 'demo'],
  'sidecars that read the mesh themselves': ['--set', 'injection.agent=pod', '--set', 'injection.namespaces=[shop,billing]'],
  'captured connections': ['--set', 'injection.capture=redirect', '--set', 'injection.engine=envoy'],
  'an agent of other nodes': [
    '--set',
    'agent.nodeSelector.pool=mesh',
    '--set',
    'agent.tolerations=[]',
    '--set',
    'agent.priorityClassName=',
  ],
  'gateways with secrets': ['--set', 'gateways.ingressgateway.credentials=[a,b]', '--set', 'gateways.egress.service.type=ClusterIP'],
  'without status, in another namespace': ['--set', 'status=false', '--namespace', 'fairlead-system', '--set', 'logFormat=text'],
  'a revision': ['--revision', 'canary'],
};

const program = kubectl();
const started = typeof program === 'string' ? await startKubeApi() : program;
if ('missing' in started || typeof program !== 'string') {
  console.log(`SKIP kubectl on installations: ${'missing' in started ? started.missing : ''}`);
  test('there is no kubectl, or no API server', () => undefined);
} else {
  const api = started;
  test.after(() => api.stop());
  const file = join(api.folder, 'manifest.yaml');
  const run = (...args: string[]): ReturnType<typeof runKubectl> => runKubectl(program, api, ...args);
  const generated = async (args: readonly string[]): Promise<void> => {
    const { code, out, err } = await fairlead(['manifest', 'generate', ...args]);
    assert.is(code, 0, err);
    writeFileSync(file, out);
  };

  test('there is the namespace', () => {
    const { code, err } = run('create', 'namespace', 'fairlead-system');
    assert.is(code, 0, err);
  });

  for (const [name, args] of Object.entries(SETTINGS))
    test(`${name}: kubectl apply --dry-run=server, and analyze`, async () => {
      await generated(args);
      const { code, out, err } = run('apply', '--dry-run=server', '-f', file);
      assert.is(code, 0, err);
      assert.match(out, /\(server dry run\)/);
      // Fields that nobody knows, and what is deprecated, are warnings. Pod Security only warns where the namespace says so.
      assert.is(err.replaceAll(/^Warning: resource namespaces\/fairlead-system is missing the kubectl.*\n/gm, ''), '');
      const analyzed = await fairlead(['analyze', '--complete', '--failure-threshold', 'Info', file]);
      assert.is(analyzed.code, 0, analyzed.out + analyzed.err);
      assert.match(analyzed.out, /nothing found/);
    });

  test('kubectl applies it, and finds nothing to do after that; what it warns of is the folder of the node', async () => {
    await generated([]);
    const { code, err } = run('apply', '--server-side', '--force-conflicts', '-f', file);
    assert.is(code, 0, err);
    const warnings = err.split('\n').filter((line) => line.startsWith('Warning'));
    for (const warning of warnings) assert.match(warning, /would violate PodSecurity "restricted:latest".*hostPath/);
    const diff = run('diff', '--server-side', '--force-conflicts', '-f', file);
    assert.is(diff.code, 0, diff.out + diff.err);
  });
}

test.run();
