/** nft for tests: in the path, or from Debian's packages, fetched by apt and kept outside the tree. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, globSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

/** nft and the libraries that a small system may lack. */
const PACKAGES = ['nftables', 'libnftables1', 'libnftnl11', 'libmnl0', 'libjansson4', 'libgmp10', 'libxtables12', 'libedit2', 'libbsd0'];

/** The folder to put into the path so that `nft` is found, or why there is none. In CI there must be one: throws there. */
export function realNft(): string | { missing: string } {
  const found = spawnSync('nft', ['--version']).status === 0 ? '' : fetchNft();
  if (typeof found !== 'string' && process.env['CI']) throw new Error(`CI needs nft: ${found.missing}`);
  return found;
}

function fetchNft(): string | { missing: string } {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'fairlead', 'test', 'nftables');
  const bin = join(cache, 'bin');
  if (existsSync(join(bin, 'nft'))) return bin;
  const scratch = mkdtempSync(join(tmpdir(), 'fairlead-nft-'));
  // It is moved to where it belongs at the end: renaming works within one file system only.
  const unpacked = `${cache}.${process.pid}`;
  try {
    const failed = run(scratch, 'apt-get', 'download', ...PACKAGES);
    const archives = globSync('*.deb', { cwd: scratch });
    if (failed !== undefined || archives.length < PACKAGES.length) return { missing: `apt-get cannot download nftables: ${failed}` };
    mkdirSync(join(unpacked, 'bin'), { recursive: true });
    for (const archive of archives) {
      const broken = run(scratch, 'dpkg-deb', '-x', archive, unpacked);
      if (broken !== undefined) return { missing: `the package ${archive} cannot be unpacked: ${broken}` };
    }
    const libraries = globSync('**/*.so.*', { cwd: unpacked }).map((file) => join(cache, file, '..'));
    const program = join(unpacked, 'bin', 'nft');
    const path = [...new Set(libraries)].join(':');
    writeFileSync(program, `#!/bin/sh\nLD_LIBRARY_PATH=${path} exec ${join(cache, 'usr', 'sbin', 'nft')} "$@"\n`);
    chmodSync(program, 0o755);
    // Another test file may have been faster; its copy is as good.
    if (!existsSync(cache)) renameSync(unpacked, cache);
    return spawnSync(join(bin, 'nft'), ['--version']).status === 0 ? bin : { missing: `${join(bin, 'nft')} does not run` };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
    rmSync(unpacked, { recursive: true, force: true });
  }
}

/** undefined when it went well, else the last line that it said. */
function run(cwd: string, command: string, ...args: string[]): string | undefined {
  const { status, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: 240_000 });
  return status === 0 ? undefined : (error?.message ?? stderr.trim().split('\n').at(-1) ?? `exit ${status}`);
}
