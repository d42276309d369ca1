/** The command line of a user whom the system does not list, with nothing in the environment: what a container is. */
import { spawnSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { asUser } from '../support/as-user.ts';
import { bin } from '../support/cli.ts';

const USER = 54_321;

/** Why nobody else can be played here. In CI it must be possible: throws there. */
function whyNot(): string | undefined {
  const why =
    process.getuid?.() !== 0
      ? 'only root runs something as another'
      : spawnSync('setpriv', ['--help']).error && 'setpriv is not there (util-linux)';
  if (why && process.env['CI']) throw new Error(`CI runs as a user without a name: ${why}`);
  return why;
}

function run(...args: string[]): { code: number | null; out: string; err: string } {
  const [program = '', ...rest] = [...asUser(USER), process.execPath, bin, ...args];
  const { status, stdout, stderr } = spawnSync(program, rest, { env: {}, encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}

const missing = whyNot();
if (missing !== undefined) {
  console.log(`SKIP a user without a name: ${missing}`);
  test('nobody to be', () => undefined);
} else {
  test('has the commands that everybody has', () => {
    const { code, out, err } = run('version');
    assert.is(code, 0, err);
    assert.match(out, /fairlead +\d+\.\d+\.\d+/);
    assert.is(run('--help').code, 0);
  });

  test('is told which folder of theirs is missing, in place of an error of Fairlead’s own', () => {
    for (const argv of [
      ['ca', 'status'],
      ['agent', 'status'],
      ['agent', 'run', '-f', '/dev/null'],
      ['analyze', '-k'],
      ['envoy', 'list'],
    ]) {
      const { code, err } = run(...argv);
      assert.not.match(err, /internal error/, argv.join(' '));
      assert.ok(code !== null && code < 5, `${argv.join(' ')} ${code} ${err}`);
    }
    assert.match(run('ca', 'status').err, /\/\.local\/share\/fairlead\/ca/);
  });
}

test.run();
