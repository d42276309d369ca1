/** ca serve, cert renew and ca rotate as processes that work together. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fairlead, startFairlead } from '../support/cli.ts';
import { withScratch } from '../support/scratch.ts';

test(
  'a certificate is renewed from a CA that is served, through a whole rotation',
  withScratch(async (folder) => {
    const env = { FAIRLEAD_CA_DIR: join(folder, 'ca'), FAIRLEAD_PASSPHRASE: '' };
    const run = async (code: number, ...args: string[]) => {
      const ran = await fairlead(args, { cwd: folder, env });
      assert.is(ran.code, code, `${args.join(' ')}: ${ran.out}${ran.err}`);
      return ran.out + ran.err;
    };
    const openssl = (...args: string[]): string => execFileSync('openssl', args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
    const verifies = (): string =>
      openssl('verify', '-CAfile', 'web/root-cert.pem', '-untrusted', 'web/cert-chain.pem', 'web/cert-chain.pem');
    await run(0, 'ca', 'init');
    await run(0, 'cert', 'issue', 'shop/web', '--out', 'web', '--ttl', '2h');
    const server = startFairlead(['ca', 'serve', '--port', '0'], env);
    try {
      const deadline = Date.now() + 15_000;
      while (!/address=127\.0\.0\.1:\d+/.test(server.err()) && Date.now() < deadline) await new Promise((r) => setTimeout(r, 20));
      const address = /address=(127\.0\.0\.1:\d+)/.exec(server.err())?.[1] as string;
      assert.match(await run(3, 'ca', 'serve', '--port', '0'), /is held by another process/);
      assert.match(await run(0, 'cert', 'renew', 'web', '--ca', address, '--within', '1h'), /not renewed/);
      const before = readFileSync(join(folder, 'web/key.pem'), 'utf8');
      assert.match(await run(0, 'cert', 'renew', 'web', '--ca', address), /renewed spiffe:\/\/cluster\.local\/ns\/shop\/sa\/web/);
      assert.is.not(readFileSync(join(folder, 'web/key.pem'), 'utf8'), before, 'a new key');
      assert.match(verifies(), /OK/);

      assert.match(await run(0, 'ca', 'rotate', 'status'), /no rotation goes on; trust bundle 1/);
      assert.match(await run(0, 'ca', 'rotate', 'prepare'), /it does not sign yet/);
      assert.match(
        await run(1, 'ca', 'rotate', 'activate'),
        /too early to activate.*behind: spiffe:\/\/cluster\.local\/ns\/shop\/sa\/web/s,
      );
      assert.match(await run(0, 'ca', 'rotate', 'status'), /next: activate[\s\S]*1 behind; clear in \d+ h at the latest/);
      assert.match(await run(2, 'ca', 'rotate', 'activate', '--force'), /they do not trust the new root yet.*--yes/s);
      // Renewed by the old authority, with the new bundle.
      await run(0, 'cert', 'renew', 'web', '--ca', address);
      await run(0, 'ca', 'rotate', 'activate');
      assert.match(await run(1, 'ca', 'rotate', 'taint'), /too early to taint/);
      await run(0, 'cert', 'renew', 'web', '--ca', address);
      assert.match(verifies(), /OK/);
      await run(0, 'ca', 'rotate', 'taint');
      assert.match(await run(2, 'ca', 'rotate', 'revoke'), /--yes/);
      assert.match(await run(0, 'ca', 'rotate', 'revoke', '--dry-run'), /would revoke/);
      assert.match(await run(0, 'ca', 'rotate', '--auto', '--yes'), /complete\n[\s\S]*revoked \w+: its keys are deleted; trust bundle 3/);
      assert.is(readdirSync(join(folder, 'ca/keys')).length, 2);
      await run(0, 'cert', 'renew', 'web', '--ca', address);
      writeFileSync(join(folder, 'roots.pem'), await run(0, 'ca', 'bundle'));
      assert.match(openssl('verify', '-CAfile', 'roots.pem', '-untrusted', 'web/cert-chain.pem', 'web/cert-chain.pem'), /OK/);
    } finally {
      server.child.kill('SIGTERM');
      assert.is(await server.ended, 0);
    }
    assert.match(await run(3, 'cert', 'renew', 'web', '--ca', '127.0.0.1:1'), /the connection is refused/);
  }),
);

test.run();
