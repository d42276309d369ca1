// test: exclusive
/** The demo as people run it. Alone: it counts shares and times. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bin, fairlead } from '../support/cli.ts';

test('every act is seen, the summary is counted, exit 0', async () => {
  const ran = await fairlead(['demo', '--json']);
  const { acts, interrupted } = JSON.parse(ran.out) as {
    acts: { title: string; happened: boolean; missing?: string }[];
    interrupted: boolean;
  };
  assert.is(interrupted, false);
  assert.equal(
    acts.filter((a) => !a.happened),
    [],
  );
  assert.is(acts.length, 8);
  assert.is(ran.code, 0);
});

test('a port in use is named, exit 3', async () => {
  const holder = createServer().listen(18081, '127.0.0.1');
  await new Promise((r) => holder.once('listening', r));
  try {
    const ran = await fairlead(['demo']);
    assert.is(ran.code, 3);
    assert.match(ran.err, /127\.0\.0\.1:18081 is in use/);
  } finally {
    holder.close();
  }
});

test('Ctrl-C leaves nothing behind', async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'fairlead-'));
  const child = spawn(process.execPath, [bin, 'demo', '--engine', 'embedded'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: scratch },
  });
  let out = '';
  let pressed = false;
  child.stdout.on('data', (d) => {
    out += d;
    // Once: a second Ctrl-C ends it at once, which is another thing.
    if (!pressed && /web calls through/.test(out)) pressed = child.kill('SIGINT');
  });
  const code = await new Promise((resolve) => child.on('exit', resolve));
  assert.is(code, 130);
  const processes = spawnSync('pgrep', ['-f', scratch], { encoding: 'utf8' }).stdout.trim();
  assert.is(processes, '');
  assert.equal(readdirSync(scratch), []);
  rmSync(scratch, { recursive: true });
});

test.run();
