/** The packed package, installed in an empty folder outside the repository. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const root = fileURLToPath(new URL('../..', import.meta.url));
const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH']}` };

function npm(cwd: string, ...args: string[]): { status: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd, env, encoding: 'utf8' });
  return { status, text: stdout + stderr };
}

test('npm pack installs and runs without the repository', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-pack-'));
  try {
    const packed = npm(root, 'pack', '--ignore-scripts', '--pack-destination', folder);
    assert.is(packed.status, 0, packed.text);
    const tarball = readdirSync(folder).find((f) => f.endsWith('.tgz')) as string;
    const contents = spawnSync('tar', ['-tzf', join(folder, tarball)], { encoding: 'utf8' }).stdout.split('\n');
    assert.equal(
      contents.filter((name) => /^package\/(test|gen|src|agent|commands|scripts|bench|node_modules)\//.test(name)),
      [],
    );
    assert.ok(statSync(join(folder, tarball)).size < 3_500_000, 'the package has grown above 3.5 MB');
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    const installed = npm(folder, 'install', '--no-audit', '--no-fund', `./${tarball}`);
    if (installed.status !== 0 && !process.env['CI'] && /ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ENETUNREACH/.test(installed.text)) {
      console.log('SKIP npm pack: its dependencies cannot be installed without a network');
      return;
    }
    assert.is(installed.status, 0, installed.text);
    const run = (...args: string[]): string => {
      const { status, stdout, stderr } = spawnSync(process.execPath, ['node_modules/fairlead/bin/fairlead.js', ...args], {
        cwd: folder,
        env,
        encoding: 'utf8',
      });
      assert.is(status, 0, stderr);
      return stdout;
    };
    assert.match(run('version'), /^fairlead \d/);
    const linked = spawnSync('node_modules/.bin/fairlead', ['version'], { cwd: folder, env, encoding: 'utf8' });
    assert.is(linked.stdout, run('version'), linked.stderr);
    assert.match(run('validate', 'node_modules/fairlead/examples/shop/mesh'), /valid/);
    assert.match(
      run('proxy-config', 'cluster', '-f', 'node_modules/fairlead/examples/shop/mesh', '--proxy', 'web'),
      /catalog\.default\.svc\.cluster\.local/,
    );
    const all = run('proxy-config', 'all', '-f', 'node_modules/fairlead/examples/shop/mesh', '--proxy', 'web', '-o', 'json');
    writeFileSync(join(folder, 'dump.json'), all);
    assert.match(run('proxy-config', 'route', '--file', 'dump.json'), /catalog\.default/);
    assert.match(run('schema', 'vs'), /VirtualService/);
    // Made with a bundled library, which is not installed.
    assert.match(run('ca', 'init', '--ca-dir', 'ca'), /made|root/i);
    assert.match(
      run('proxy-config', 'all', '-f', 'node_modules/fairlead/examples/shop/mesh', '--proxy', 'web', '-o', 'json'),
      /ListenersConfigDump|listener/,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Those that ask nothing but their own text to be passed on. */
const LICENCES = [
  'MIT',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'Python-2.0',
  '(Apache-2.0 AND BSD-3-Clause)',
  // Taken under the first.
  '(BSD-3-Clause OR GPL-2.0)',
];

test('what is shipped may be shipped: licences of what is bundled and of what is installed', () => {
  const bundled = readFileSync(join(root, 'dist/LICENCES.txt'), 'utf8');
  const parts = [...bundled.matchAll(/^-{80}\n(\S+) \S+ \((.*)\)\n\n([^-]*)/gm)];
  assert.ok(parts.some(([, name]) => name === '@oclif/core'));
  for (const [, name, licence] of parts) assert.ok(LICENCES.includes(licence as string), `${name}: ${licence}`);
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };
  for (const name of Object.keys(dependencies)) {
    const { license } = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as { license: string };
    assert.ok(LICENCES.includes(license), `${name}: ${license}`);
    // Whoever installs it gets no package twice: what is in the bundle is a development dependency.
    assert.not.ok(
      parts.some(([, bundledName]) => bundledName === name),
      `${name} is bundled and a dependency`,
    );
  }
});

test.run();
