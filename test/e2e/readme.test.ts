/**
 * What the README shows is what comes: in its `console` blocks every `$` line is run at the root of the project by the built command line, and
 * what follows it, down to the next `$` or the end, is the whole output. A line `…` stands for any lines. UPDATE_GOLDENS=1 writes what comes.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fairlead } from '../support/cli.ts';
import { failEvery20th, withShopMesh } from '../support/shop-mesh.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const readmeFile = join(root, 'README.md');
const readme = readFileSync(readmeFile, 'utf8');

interface Shown {
  line: number;
  args: string[];
  output: string;
}

function shownCommands(): Shown[] {
  const found: Shown[] = [];
  for (const block of readme.matchAll(/^```console\n([\s\S]*?)^```$/gm)) {
    const first = readme.slice(0, block.index).split('\n').length + 1;
    const lines = (block[1] as string).split('\n').slice(0, -1);
    for (const [i, line] of lines.entries()) {
      if (!line.startsWith('$ ')) continue;
      const next = lines.findIndex((other, j) => j > i && other.startsWith('$ '));
      const output = lines.slice(i + 1, next === -1 ? lines.length : next).join('\n');
      found.push({ line: first + i, args: words(line.slice(2).replace(/^npx fairlead /, '')), output });
    }
  }
  return found;
}

/** As a shell splits them, with single and double quotes. */
function words(text: string): string[] {
  return [...text.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, plain]) => single ?? double ?? (plain as string));
}

/** What a shift measures differs from run to run. */
const unmeasured = (text: string): string => text.replaceAll(/\d+(?= requests| ms)|(?<=errors |hold: )[\d.]+(?= %)/g, '#');

/** Runs a command of the README as its text says that things are then, in a folder with the examples. */
async function runShown(args: readonly string[], folder: string): Promise<string> {
  const [name = ''] = args;
  if (name === 'diff') await changeAgainstMain(folder);
  if (name === 'route' && args[1] === 'shift') return runShift(args);
  const ran = await fairlead(args, { cwd: folder });
  return ran.out + ran.err;
}

/** The revision main has the examples as they are; then the split is changed. */
async function changeAgainstMain(folder: string): Promise<void> {
  const git = (...args: string[]): void => {
    execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@example.com', ...args], { cwd: folder, stdio: 'pipe' });
  };
  git('init', '-q', '-b', 'main');
  git('add', '.');
  git('commit', '-q', '-m', 'examples');
  const { code, err } = await fairlead(['route', 'split', 'catalog', 'v1=80', 'v2=20', '-f', 'examples/shop/mesh'], { cwd: folder });
  assert.is(code, 0, err);
}

/** In the running shop, where every 20th call of v2 fails. On a terminal the steps come before the end. */
async function runShift(args: readonly string[]): Promise<string> {
  let text = '';
  await withShopMesh('embedded', async ({ root: cwd, env, v2 }) => {
    failEvery20th(v2);
    const ran = await fairlead(args, { cwd, env });
    text = ran.err + ran.out;
  });
  return text;
}

/** The output with `…` where the README leaves something out. */
function fits(shown: string, output: string): boolean {
  const escaped = shown.split('\n').map((line) => (line.trim() === '…' ? '[\\s\\S]*?' : line.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')));
  return new RegExp(`^\\s*${escaped.join('\n')}\\s*$`).test(output.replaceAll(/[ \t]+$/gm, ''));
}

test('every console block is what comes', async () => {
  const commands = shownCommands();
  assert.ok(commands.length >= 5, `${commands.length} commands`);
  // Commands that edit do it in a copy.
  const written: [from: string, to: string][] = [];
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-readme-'));
  cpSync(join(root, 'examples'), join(folder, 'examples'), { recursive: true });
  try {
    for (const { line, args, output } of commands) {
      const said = await runShown(args, folder);
      const comes = args[1] === 'shift' ? fits(unmeasured(output), unmeasured(said)) : fits(output, said);
      if (process.env['UPDATE_GOLDENS'] === '1' && !comes) {
        const text = readFileSync(readmeFile, 'utf8');
        const shown = `${text.split('\n')[line - 1]}`;
        written.push([`${shown}\n${output}`, `${shown}\n${said.replaceAll(/[ \t]+$/gm, '').trim()}`]);
        continue;
      }
      assert.ok(comes, `README.md:${line}: fairlead ${args.join(' ')} says\n${said}`);
    }
    const updated = written.reduce((text, [from, to]) => text.replace(from, () => to), readFileSync(readmeFile, 'utf8'));
    if (written.length > 0) writeFileSync(readmeFile, updated);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('every file that the README links to is there, and every command that it names', async () => {
  for (const [, target = ''] of readme.matchAll(/\]\(([^)#]+)[^)]*\)/g)) assert.ok(readFileSync(join(root, target)), target);
  const { out } = await fairlead(['--help']);
  for (const [, name = ''] of readme.matchAll(/^\| `([a-z-]+)[ `]/gm)) assert.match(out, new RegExp(`^ {2}${name}\\b`, 'm'), name);
});

test.run();
