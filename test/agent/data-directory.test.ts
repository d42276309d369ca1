/** The data directory as agents meet it: taken, stale, full, read-only, long. */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openDataDirectory } from '../../agent/data-directory.ts';
import { processIdentity } from '../../agent/process-identity.ts';
import { FairleadError } from '../../src/errors.ts';
import { withScratch } from '../support/scratch.ts';

const code = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return error instanceof FairleadError ? error.code : `${error}`;
  }
  return 'nothing thrown';
};

test(
  'is made when needed, for this user alone, and keeps what is written',
  withScratch((folder) => {
    const data = openDataDirectory(join(folder, 'a', 'b'));
    assert.is(statSync(data.path).mode & 0o777, 0o700);
    assert.is(data.read('x.json'), undefined);
    data.write('x.json', 'one');
    data.write('x.json', 'two');
    assert.is(data.read('x.json'), 'two');
    assert.is(statSync(join(data.path, 'x.json')).mode & 0o777, 0o600);
    assert.equal(readdirSync(data.path).sort(), ['agent.pid', 'x.json']);
    data.remove('x.json');
    assert.is(data.read('x.json'), undefined);
    data.release();
    data.release();
    assert.equal(readdirSync(data.path), []);
  }),
);

test(
  'is refused while a living process holds it, and named',
  withScratch(async (folder) => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    try {
      writeFileSync(join(folder, 'agent.pid'), `${child.pid}\n${processIdentity(child.pid as number)}\n`);
      try {
        openDataDirectory(folder);
        assert.unreachable();
      } catch (error) {
        assert.is((error as FairleadError).code, 'E_AGENT_RUNNING');
        assert.match((error as FairleadError).message, new RegExp(`process ${child.pid}`));
      }
      // The lock of the other one is untouched.
      assert.match(readFileSync(join(folder, 'agent.pid'), 'utf8'), new RegExp(`^${child.pid}\n`));
      assert.equal(readdirSync(folder), ['agent.pid']);
    } finally {
      child.kill('SIGKILL');
      await new Promise((r) => child.once('exit', r));
    }
    openDataDirectory(folder).release();
  }),
);

test(
  'a lock is stale when its process id belongs to a later process, to nobody, or to an earlier life of ours',
  withScratch(async (folder) => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    const dead = spawnSync(process.execPath, ['-e', '0']).pid;
    try {
      for (const lock of [`${child.pid}\nstarted long ago\n`, `${dead}\n1 2\n`, `${process.pid}\nearlier\n`, 'nonsense', '']) {
        writeFileSync(join(folder, 'agent.pid'), lock);
        const data = openDataDirectory(folder);
        assert.is(readFileSync(join(folder, 'agent.pid'), 'utf8').split('\n')[0], String(process.pid), JSON.stringify(lock));
        data.release();
      }
    } finally {
      child.kill('SIGKILL');
      await new Promise((r) => child.once('exit', r));
    }
  }),
);

test(
  'releasing does not take it from whoever has it by now',
  withScratch((folder) => {
    const data = openDataDirectory(folder);
    writeFileSync(join(folder, 'agent.pid'), '1\nother\n');
    data.release();
    assert.is(readFileSync(join(folder, 'agent.pid'), 'utf8'), '1\nother\n');
  }),
);

test(
  'only one of many that start at once gets it',
  withScratch(async (folder) => {
    writeFileSync(join(folder, 'agent.pid'), '4194000\nstale\n');
    const script = `import { openDataDirectory } from ${JSON.stringify(new URL('../../agent/data-directory.ts', import.meta.url).href)};
      try { openDataDirectory(${JSON.stringify(folder)}); console.log('got it'); process.stdin.resume(); } catch (e) { console.log(e.code); }`;
    const children = Array.from({ length: 6 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] }),
    );
    const said = await Promise.all(children.map((c) => new Promise<string>((r) => c.stdout.once('data', (d) => r(String(d).trim())))));
    for (const c of children) c.stdin.end();
    await Promise.all(children.map((c) => (c.exitCode === null ? new Promise((r) => c.once('exit', r)) : undefined)));
    assert.equal(said.sort(), [...Array.from({ length: 5 }, () => 'E_AGENT_RUNNING'), 'got it']);
  }),
);

test(
  'what cannot be used is said in a sentence, and nothing half-written stays',
  withScratch((folder) => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    assert.is(
      code(() => openDataDirectory(join(file, 'data'))),
      'E_DATA_DIRECTORY',
    );
    assert.is(
      code(() => openDataDirectory(file)),
      'E_DATA_DIRECTORY',
    );
    const data = openDataDirectory(join(folder, 'data'));
    data.write('x', 'good');
    mkdirSync(join(data.path, 'taken'));
    assert.is(
      code(() => data.write('taken', 'no')),
      'E_DATA_DIRECTORY',
    );
    assert.is(
      code(() => data.read('taken')),
      'E_DATA_DIRECTORY',
    );
    assert.equal(readdirSync(data.path).sort(), ['agent.pid', 'taken', 'x']);
    data.release();
  }),
);

test(
  'a full disk: said, and the old content is whole',
  withScratch((folder) => {
    // A file system of one page, in a mount namespace of its own, where the machine lets us make one.
    const script = `
      import { openDataDirectory } from ${JSON.stringify(new URL('../../agent/data-directory.ts', import.meta.url).href)};
      const data = openDataDirectory(${JSON.stringify(join(folder, 'tiny', 'data'))});
      data.write('x', 'good');
      try { data.write('x', 'y'.repeat(1_000_000)); console.log('written'); } catch (e) { console.log(e.code, e.message); }
      console.log(data.read('x'));
      data.release();`;
    mkdirSync(join(folder, 'tiny'));
    const { stdout, status } = spawnSync(
      'unshare',
      [
        '-rm',
        'sh',
        '-c',
        `mount -t tmpfs -o size=64k tmpfs ${folder}/tiny && exec "$0" --input-type=module -e "$1"`,
        process.execPath,
        script,
      ],
      { encoding: 'utf8' },
    );
    if (status !== 0) {
      console.log('SKIP full disk: this machine does not let us mount a file system');
      return;
    }
    assert.match(stdout, /^E_DATA_DIRECTORY .*no space left/);
    assert.match(stdout, /\ngood\n/);
  }),
);

test(
  'a directory that may not be written',
  withScratch((folder) => {
    if (process.getuid?.() === 0) {
      console.log('SKIP read-only directory: root may write everywhere');
      return;
    }
    const closed = join(folder, 'closed');
    mkdirSync(closed);
    chmodSync(closed, 0o500);
    assert.is(
      code(() => openDataDirectory(closed)),
      'E_DATA_DIRECTORY',
    );
    chmodSync(closed, 0o700);
  }),
);

test(
  'a long path still gives sockets that can be listened on',
  withScratch(async (folder) => {
    const data = openDataDirectory(join(folder, 'x'.repeat(120)));
    for (const path of [data.agentSocket, data.proxySocket]) {
      const server = createServer();
      await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
      assert.ok(existsSync(path));
      await new Promise((r) => server.close(r));
    }
    data.release();
  }),
);

test(
  'leftovers of a killed agent are cleared away',
  withScratch((folder) => {
    writeFileSync(join(folder, 'last-good.json.123.tmp'), 'half');
    const data = openDataDirectory(folder);
    assert.not.ok(existsSync(join(folder, 'last-good.json.123.tmp')));
    data.release();
  }),
);

test('below a folder that takes no children: said at once', () => {
  if (process.platform !== 'linux') {
    console.log('SKIP /proc: Linux only');
    return;
  }
  assert.is(
    code(() => openDataDirectory('/proc/nope/deeper')),
    'E_DATA_DIRECTORY',
  );
});

test.run();
