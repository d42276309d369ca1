/** An installation on a host, in a root of its own: the files, systemd's opinion of them, and their command lines as processes. */
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hostFiles, hostSettings } from '../../src/install/host/host-files.ts';
import { bin, fairlead, type Ran, type Running, startFairlead } from '../support/cli.ts';
import { until } from '../support/cluster-objects.ts';
import { freePort } from '../support/free-ports.ts';

const AGENT = '/etc/systemd/system/fairlead-agent.service';
const CA = '/etc/systemd/system/fairlead-ca.service';
const PROGRAM = [process.execPath, bin];

test('units quote what systemd would read otherwise', () => {
  const settings = hostSettings({ host: { mesh: '/srv/my mesh/100%/$x' } }, ['/opt/node', '/opt/fair lead.js']);
  const unit = hostFiles(settings).find(({ path }) => path === AGENT)?.text ?? '';
  assert.match(unit, /^ExecStart=\/opt\/node "\/opt\/fair lead\.js" agent run -f "\/srv\/my mesh\/100%%\/\$\$x" --data /m);
});

test('what only one of the services needs is not there without it', () => {
  const paths = (host: object): string =>
    hostFiles(hostSettings({ host }, PROGRAM))
      .map(({ path }) => path)
      .join();
  assert.not.match(paths({}), /fairlead-ca/);
  assert.not.match(paths({ agent: false, ca: true }), /fairlead-agent|agent\.env/);
});

const missing = ['systemd-sysusers', 'systemd-tmpfiles', 'systemctl', 'systemd-analyze'].filter(
  (program) => spawnSync(program, ['--version']).status !== 0,
);
if (missing.length > 0 || process.getuid?.() !== 0) {
  console.log(
    `SKIP an installation in a root of its own: ${missing.length > 0 ? `there is no ${missing.join(', ')}` : 'only root makes users'}`,
  );
} else {
  const root = mkdtempSync(join(tmpdir(), 'fairlead-root-'));
  test.after(() => rmSync(root, { recursive: true, force: true }));
  const run = (...args: string[]): Promise<Ran> => fairlead([...args, '--target', 'systemd', '--root', root]);
  const done = async (...args: string[]): Promise<Ran> => {
    const ran = await run(...args);
    assert.is(ran.code, 0, `${args.join(' ')}\n${ran.out}\n${ran.err}`);
    return ran;
  };
  const text = (path: string): string => readFileSync(join(root, path), 'utf8');

  test('a dry run writes nothing', async () => {
    const { err } = await done('install', '--dry-run');
    assert.match(err, /\+ create {2}\/etc\/systemd\/system\/fairlead-agent\.service\n/);
    assert.equal(readdirSync(root), []);
  });

  test('it is installed: user, directories, units that start with the host', async () => {
    await done('install', '--yes', '--set', 'host.ca=true', '--set', 'host.engine=embedded');
    assert.match(text('/etc/passwd'), /^fairlead:x:\d+:\d+:Fairlead service mesh:/m);
    assert.ok(statSync(join(root, '/etc/fairlead/mesh')).isDirectory());
    assert.is(statSync(join(root, '/etc/fairlead/agent.env')).mode & 0o777, 0o600);
    assert.equal(readdirSync(join(root, '/etc/systemd/system/multi-user.target.wants')).sort(), [
      'fairlead-agent.service',
      'fairlead-ca.service',
    ]);
    assert.match((await run('install', '--yes')).err, /is installed in .* already/);
  });

  test('systemd takes the units without a word', () => {
    for (const unit of [AGENT, CA]) {
      const { status, stderr, stdout } = spawnSync('systemd-analyze', ['verify', '--man=no', join(root, unit)], { encoding: 'utf8' });
      const said = `${stdout}${stderr}`.split('\n').filter((line) => /fairlead/.test(line));
      assert.equal(said, []);
      assert.is(status, 0);
    }
  });

  test('systemd finds little exposed', () => {
    for (const unit of [AGENT, CA]) {
      const { stdout } = spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', join(root, unit)], { encoding: 'utf8' });
      const level = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1]);
      assert.ok(level < 3, stdout.split('\n').slice(-3).join('\n'));
    }
  });

  /** A line of a unit as its words, with its directories below the root. */
  const words = (unit: string, key: string, variables: Record<string, string> = {}): string[] => {
    const line = new RegExp(`^${key}=(.*)$`, 'm').exec(text(unit))?.[1] ?? '';
    return line.split(' ').flatMap((word) => {
      if (word.startsWith('$')) return (variables[word.slice(1)] ?? '').split(' ').filter((w) => w !== '');
      return [/^\/(var|etc)\//.test(word) ? join(root, word) : word];
    });
  };

  test('the command lines of the units run, and a new agent takes over what the last one left', async () => {
    for (let i = 0; i < 2; i++) {
      const [program = '', ...args] = words(CA, 'ExecStartPre');
      assert.is(spawnSync(program, args).status, 0);
    }
    const running: Running[] = [];
    const start = (unit: string, variables: Record<string, string>): Running => {
      const [program, script, ...args] = words(unit, 'ExecStart', variables);
      assert.equal([program, script], PROGRAM);
      const one = startFairlead(args);
      running.push(one);
      return one;
    };
    try {
      const ca = start(CA, { FAIRLEAD_CA_ARGS: '--port 0' });
      await until('the CA is served', () => /the CA is served/.test(ca.err()), 30_000);
      mkdirSync(join(root, '/etc/fairlead/mesh'), { recursive: true });
      writeFileSync(
        join(root, '/etc/fairlead/mesh/web.yaml'),
        `apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: web, annotations: { fairlead.dev/http-proxy-port: "${await freePort()}" } }
spec: { address: 127.0.0.1 }
`,
      );
      const variables = { FAIRLEAD_AGENT_ARGS: '--api-port 0 --metrics-port 0' };
      const first = start(AGENT, variables);
      await until('the agent runs', () => /the agent runs/.test(first.err()), 30_000);
      first.child.kill('SIGUSR2');
      assert.is(await first.ended, 0);
      const second = start(AGENT, variables);
      await until('the next agent runs', () => /the agent runs/.test(second.err()), 30_000);
      assert.match(second.err(), /took over the running proxy/);
      second.child.kill('SIGHUP');
      second.child.kill('SIGTERM');
      assert.is(await second.ended, 0);
    } finally {
      for (const { child, ended } of running) {
        child.kill('SIGTERM');
        await ended;
      }
      rmSync(join(root, '/etc/fairlead/mesh/web.yaml'), { force: true });
    }
  });

  test('an upgrade keeps settings and what is yours, and does not write over edits', async () => {
    appendFileSync(join(root, '/etc/fairlead/agent.env'), 'FAIRLEAD_AGENT_ARGS=--log-level debug\n');
    const { err } = await done('upgrade', '--yes', '--set', 'host.engine=auto');
    assert.match(err, /\+ExecStart=.*--engine auto/);
    assert.match(text('/etc/fairlead/agent.env'), /--log-level debug/);
    assert.ok(existsSync(join(root, CA)));
    appendFileSync(join(root, AGENT), '# mine\n');
    const refused = await run('upgrade', '--yes');
    assert.is(refused.code, 3);
    assert.match(refused.err, /fairlead-agent\.service is not as it was written/);
    assert.match(text(AGENT), /# mine/);
    await done('upgrade', '--yes', '--force-conflicts');
    assert.not.match(text(AGENT), /# mine/);
  });

  test('a service that is taken out of the settings goes', async () => {
    await done('upgrade', '--yes', '--set', 'host.ca=false');
    assert.not(existsSync(join(root, CA)));
    assert.equal(readdirSync(join(root, '/etc/systemd/system/multi-user.target.wants')), ['fairlead-agent.service']);
  });

  test('uninstall takes what was written, and leaves what is yours and what is kept', async () => {
    const { out } = await done('uninstall', '--yes');
    assert.match(out, /is uninstalled/);
    assert.not(existsSync(join(root, AGENT)));
    assert.not(existsSync(join(root, '/etc/sysusers.d/fairlead.conf')));
    assert.match(text('/etc/fairlead/agent.env'), /--log-level debug/);
    assert.ok(existsSync(join(root, '/var/lib/fairlead-ca/authority/state.json')));
    assert.match((await run('uninstall', '--yes')).err, /nothing is installed/);
  });

  test('--purge takes the environment files too', async () => {
    await done('install', '--yes');
    await done('uninstall', '--purge', '--yes');
    assert.not(existsSync(join(root, '/etc/fairlead/agent.env')));
  });
}

test('--root is for systemd alone', async () => {
  const { code, err } = await fairlead(['install', '--root', '/tmp/x']);
  assert.is(code, 2);
  assert.match(err, /--root is for --target systemd/);
});

test.run();
