import { execFile, spawn } from 'node:child_process';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { promisify } from 'node:util';
import { FairleadError, type Problem } from '../../errors.ts';
import { decodeFile, MAX_FILE_BYTES } from '../decode-file.ts';
import type { TextFile } from '../text-file.ts';
import { isConfigFile } from './config-file.ts';
import type { ConfigSource } from './config-source.ts';

const run = promisify(execFile);

/**
 * Files and folders as they were at a revision of the repository they are in. Files have the names they have in the working tree, so that
 * both can be compared. Throws E_REVISION_UNKNOWN when git is not there, the path is in no repository, or has no such revision.
 */
export function gitSource(paths: readonly string[], revision: string): ConfigSource {
  return {
    name: `${paths.join(', ')} at ${revision}`,
    async read() {
      const files: TextFile[] = [];
      const problems: Problem[] = [];
      for (const path of paths) {
        for (const result of await readPath(path, revision)) {
          if ('text' in result) files.push(result);
          else problems.push(result);
        }
      }
      return { files, problems };
    },
  };
}

async function readPath(path: string, revision: string): Promise<(TextFile | Problem)[]> {
  const absolute = resolve(path);
  const root = (await git(nearestFolder(absolute), path, 'rev-parse', '--show-toplevel')).trim();
  const commit = (await git(root, path, 'rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`)).trim();
  const inside = relative(root, absolute).split(sep).join('/');
  const list = await git(root, path, 'ls-tree', '-r', '-z', commit, '--', inside === '' ? '.' : inside);
  const entries = list
    .split('\0')
    .filter((line) => line !== '')
    .map((line) => {
      const [meta = '', name = ''] = line.split('\t');
      const [mode, , hash = ''] = meta.split(' ');
      return { mode, hash, name };
    });
  const named = entries.length === 1 && entries[0]?.name === inside;
  const wanted = entries.filter(({ mode, name }) => mode !== '120000' && mode !== '160000' && (named || isWanted(name, inside)));
  const blobs = await readBlobs(
    root,
    wanted.map(({ hash }) => hash),
  );
  const shown = (name: string): string => (named ? path : join(path, name.slice(inside === '' ? 0 : inside.length + 1)));
  return wanted.map(({ name }, i) => decodeFile(shown(name), blobs[i] as Buffer, MAX_FILE_BYTES)).sort((a, b) => order(a, b));
}

const order = (a: TextFile | Problem, b: TextFile | Problem): number => ('name' in a && 'name' in b ? (a.name < b.name ? -1 : 1) : 0);

/** As in folders: configuration by its name, nothing hidden. */
function isWanted(name: string, inside: string): boolean {
  const below = name.slice(inside === '' ? 0 : inside.length + 1);
  return isConfigFile(below) && !below.split('/').some((part) => part.startsWith('.'));
}

const nearestFolder = (path: string): string => (/\.\w+$/.test(path) ? dirname(path) : path);

async function git(folder: string, path: string, ...args: string[]): Promise<string> {
  try {
    const { stdout } = await run('git', args, { cwd: folder, maxBuffer: 256 * 1024 * 1024 });
    return stdout;
  } catch (error) {
    const { code, stderr = '' } = error as NodeJS.ErrnoException & { stderr?: string };
    const why =
      code === 'ENOENT'
        ? 'git is not installed, or the folder is not there'
        : args.includes('--show-toplevel')
          ? 'it is in no git repository'
          : stderr.trim().split('\n')[0] || `there is no such revision`;
    throw new FairleadError('E_REVISION_UNKNOWN', `${path} cannot be read at a revision: ${why}`, {
      next: 'Name a branch, a tag or a commit of the repository that the configuration is in.',
      cause: error,
    });
  }
}

/** All objects by one process: `git cat-file --batch` answers in order with a header line, the content and a line break. */
async function readBlobs(root: string, hashes: readonly string[]): Promise<Buffer[]> {
  if (hashes.length === 0) return [];
  const child = spawn('git', ['cat-file', '--batch'], { cwd: root, stdio: ['pipe', 'pipe', 'ignore'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stdin.on('error', () => undefined);
  child.stdin.end(hashes.map((hash) => `${hash}\n`).join(''));
  await new Promise((done, failed) => child.once('close', done).once('error', failed));
  const all = Buffer.concat(chunks);
  let at = 0;
  return hashes.map(() => {
    const end = all.indexOf(10, at);
    const size = Number(all.toString('latin1', at, end).split(' ')[2]);
    const blob = all.subarray(end + 1, end + 1 + size);
    at = end + 2 + size;
    return blob;
  });
}
