/** How the built command line starts in surroundings that are not as nice as a developer's. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bin, fairlead } from '../support/cli.ts';

const shop = fileURLToPath(new URL('../../examples/shop/mesh', import.meta.url));

function inFolder(work: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-start-'));
  try {
    work(folder);
  } finally {
    chmodSync(folder, 0o755);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Node programs older than 24 on this machine, with what they call themselves. */
function olderNodes(): { path: string; version: string }[] {
  const folders = new Set([...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/local/bin']);
  return [...folders].flatMap((folder) => {
    const path = join(folder, 'node');
    if (!existsSync(path)) return [];
    const version = spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout?.trim() ?? '';
    return Number(version.slice(1).split('.')[0]) < 24 ? [{ path, version }] : [];
  });
}

test('an older Node is told in one line, exit 3', () => {
  const [older] = olderNodes();
  if (!older) {
    console.log('SKIP an older Node: there is none here');
    return;
  }
  const { status, stdout, stderr } = spawnSync(older.path, [bin, 'version'], { encoding: 'utf8' });
  assert.is(status, 3);
  assert.is(stdout, '');
  assert.is(stderr.trimEnd().split('\n').length, 1, stderr);
  assert.match(stderr, /^fairlead: needs Node 24 or newer, but this is Node /);
  assert.ok(stderr.includes(older.version.slice(1)), stderr);
});

test('offline commands start from few files: each costs a third of a millisecond', () => {
  const hook = `import { registerHooks } from 'node:module';
let files = 0;
registerHooks({ load: (url, context, next) => (url.includes('/dist/') && files++, next(url, context)) });
process.on('exit', () => console.error('files ' + files));`;
  for (const [args, most] of [
    [['version'], 20],
    [['validate', shop], 35],
    [['proxy-config', 'route', '-f', shop, '--proxy', 'web'], 45],
  ] as const) {
    const importing = ['--import', `data:text/javascript,${encodeURIComponent(hook)}`];
    const { status, stderr } = spawnSync(process.execPath, [...importing, bin, ...args], { encoding: 'utf8' });
    assert.is(status, 0, stderr);
    const files = Number(/files (\d+)/.exec(stderr)?.[1]);
    assert.ok(files > 3 && files <= most, `${args[0]}: ${files} files`);
  }
});

test('a reader that leaves early is no error', () => {
  for (const args of ['schema VirtualService', '--help', 'schema --json', 'proxy-config all --help']) {
    const script = `set -o pipefail; "$1" "$2" ${args} | head -c 1 > /dev/null`;
    const { status, stderr } = spawnSync('bash', ['-c', script, 'bash', process.execPath, bin], { encoding: 'utf8' });
    assert.is(stderr, '', args);
    assert.is(status, 0, args);
  }
});

test('standard input that is empty or closed', async () => {
  const script = 'cd "$3" && "$1" "$2" validate < /dev/null';
  inFolder((folder) => {
    const { status, stderr } = spawnSync('bash', ['-c', script, 'bash', process.execPath, bin, folder], { encoding: 'utf8' });
    assert.is(status, 2);
    assert.match(stderr, /there is no folder \.\/mesh/);
  });
  const ran = await fairlead(['validate', '-'], { input: '' });
  assert.not.match(ran.out + ran.err, /internal error/);
});

test('no HOME, or one that cannot be', () => {
  inFolder((folder) => {
    writeFileSync(join(folder, 'file'), '');
    const { HOME: _home, XDG_CACHE_HOME: _cache, ...env } = process.env;
    for (const more of [{}, { HOME: join(folder, 'file/home') }]) {
      const { status, stdout, stderr } = spawnSync(process.execPath, [bin, 'validate', shop], {
        encoding: 'utf8',
        env: { ...env, ...more },
      });
      assert.is(stderr, '');
      assert.is(status, 0);
      assert.match(stdout, /valid/);
    }
  });
});

test('compiled code is kept in the cache folder; a folder that cannot be written does no harm', () => {
  inFolder((folder) => {
    const env = { ...process.env, XDG_CACHE_HOME: folder };
    assert.is(spawnSync(process.execPath, [bin, 'version'], { env }).status, 0);
    assert.ok(readdirSync(join(folder, 'fairlead')).length > 0);
  });
  inFolder((folder) => {
    // Neither root nor anybody else can make a folder below a file.
    writeFileSync(join(folder, 'file'), '');
    const env = { ...process.env, XDG_CACHE_HOME: join(folder, 'file') };
    const { status, stderr } = spawnSync(process.execPath, [bin, 'version'], { encoding: 'utf8', env });
    assert.is(stderr, '');
    assert.is(status, 0);
  });
  inFolder((folder) => {
    mkdirSync(join(folder, 'fairlead'));
    chmodSync(join(folder, 'fairlead'), 0o555);
    const { status, stderr } = spawnSync(process.execPath, [bin, 'version'], {
      encoding: 'utf8',
      env: { ...process.env, XDG_CACHE_HOME: folder },
    });
    assert.is(stderr, '');
    assert.is(status, 0);
    chmodSync(join(folder, 'fairlead'), 0o755);
  });
});

test('NODE_OPTIONS and NODE_COMPILE_CACHE of the user', () => {
  inFolder((folder) => {
    const env = { ...process.env, NODE_OPTIONS: '--enable-source-maps --max-old-space-size=512', NODE_COMPILE_CACHE: folder };
    const { status, stderr } = spawnSync(process.execPath, [bin, 'validate', shop], { encoding: 'utf8', env });
    assert.is(stderr, '');
    assert.is(status, 0);
    assert.ok(readdirSync(folder).length > 0);
  });
});

test('nothing is loaded from the data folder of the user', () => {
  inFolder((folder) => {
    mkdirSync(join(folder, 'fairlead'));
    writeFileSync(join(folder, 'fairlead', 'package.json'), 'not JSON');
    const { status, stderr } = spawnSync(process.execPath, [bin, 'version'], {
      encoding: 'utf8',
      env: { ...process.env, XDG_DATA_HOME: folder },
    });
    assert.is(stderr, '');
    assert.is(status, 0);
  });
});

test('FAIRLEAD_DEBUG=1 shows where an error comes from, in the sources', async () => {
  const { err, code } = await fairlead(['proxy-config', 'route', '--file', 'no-such-dump.json'], { env: { FAIRLEAD_DEBUG: '1' } });
  assert.is(code, 3);
  assert.match(err, /^\s+at .*\/src\/.*\.ts:\d+/m);
});

test('started through a symbolic link, as npm installs it', () => {
  inFolder((folder) => {
    const link = join(folder, 'fairlead');
    spawnSync('ln', ['-s', bin, link]);
    const { status, stdout } = spawnSync(process.execPath, [link, 'version'], { encoding: 'utf8', cwd: folder });
    assert.is(status, 0);
    assert.match(stdout, /^fairlead \d/);
  });
});

test.run();
