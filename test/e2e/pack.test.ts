/** The packed package, installed in an empty folder outside the repository. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
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
    assert.match(run('validate', 'node_modules/fairlead/examples/shop/mesh'), /valid/);
    assert.match(
      run('proxy-config', 'cluster', '-f', 'node_modules/fairlead/examples/shop/mesh', '--proxy', 'web'),
      /catalog\.default\.svc\.cluster\.local/,
    );
    assert.match(
      run('proxy-config', 'all', '-f', 'node_modules/fairlead/examples/shop/mesh', '--proxy', 'web', '-o', 'json'),
      /ListenersConfigDump|listener/,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.run();
