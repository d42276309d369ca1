import { existsSync, globSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openKubeConfig } from '../../src/kubernetes/kube-config.ts';
import { withScratch } from '../support/scratch.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const text = (name: string, user: string, more = ''): string => `apiVersion: v1
kind: Config
clusters: [{name: ${name}, cluster: {server: "https://${name}.example:6443/"}}]
users: [{name: ${name}, user: ${user}}]
contexts: [{name: ${name}, context: {cluster: ${name}, user: ${name}, namespace: shop}}]
${more}`;

function withEnvironment<T>(value: string, run: () => T): T {
  const before = process.env['KUBECONFIG'];
  process.env['KUBECONFIG'] = value;
  try {
    return run();
  } finally {
    if (before === undefined) delete process.env['KUBECONFIG'];
    else process.env['KUBECONFIG'] = before;
  }
}

test(
  'several kubeconfigs are one; a context is chosen by name',
  withScratch(async (_, write) => {
    const files = [write('a', text('a', '{token: ta}', 'current-context: a')), write('b', text('b', '{token: tb}'))].join(delimiter);
    const { context, server, namespace } = withEnvironment(files, () => openKubeConfig(undefined));
    assert.equal({ context, server, namespace }, { context: 'a', server: 'https://a.example:6443', namespace: 'shop' });
    const other = withEnvironment(files, () => openKubeConfig('b'));
    const options: { headers?: Record<string, string> } = {};
    await other.authorize(options);
    assert.is(options.headers?.['Authorization'], 'Bearer tb');
    assert.throws(
      () => withEnvironment(files, () => openKubeConfig('c')),
      (error: Error & { next: string }) => /no context c/.test(error.message) && error.next === 'Name one with --context: a, b.',
    );
    assert.throws(() => withEnvironment(files.split(delimiter)[1] as string, () => openKubeConfig(undefined)), /has no current context/);
  }),
);

test('no command loads the Kubernetes client before it is asked for a cluster', () => {
  const chunk = globSync('dist/chunks/*.js', { cwd: root }).filter((file) =>
    readFileSync(join(root, file), 'utf8').includes('kubernetes-client-javascript/'),
  );
  assert.ok(chunk.length > 0, 'it is in the bundle');
  const reached = new Set<string>();
  const visit = (file: string): void => {
    if (reached.has(file) || !existsSync(join(root, file))) return;
    reached.add(file);
    for (const [, path = ''] of readFileSync(join(root, file), 'utf8').matchAll(/^(?:import|export)\b[^;]*?["'](\.[^"']+)["'];?$/gm))
      visit(join(dirname(file), path));
  };
  for (const file of [...globSync('dist/commands/**/*.js', { cwd: root }), 'dist/src/cli/main.js']) visit(file);
  assert.ok(reached.size > 50);
  assert.equal(
    chunk.filter((file) => reached.has(file)),
    [],
  );
});

test.run();
