/** Watching real files and folders, as editors, git and mounts change them. */
import { mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { watchPaths } from '../../../agent/source/folder.ts';
import { until } from '../../support/http.ts';
import { withScratch } from '../../support/scratch.ts';

interface Watching {
  folder: string;
  write(name: string, text: string): string;
  /** Does something and waits until it was seen. */
  seen(what: string, act: () => void): Promise<void>;
  count(): number;
}

const watching = (prepare: (folder: string) => string[], run: (w: Watching) => Promise<void>) =>
  withScratch(async (folder, write) => {
    let count = 0;
    const watched = await watchPaths(prepare(folder), () => count++);
    try {
      await run({
        folder,
        write,
        count: () => count,
        async seen(what, act) {
          const before = count;
          act();
          await until(what, () => count > before, 6000);
        },
      });
    } finally {
      watched.close();
    }
  });

const mesh = (folder: string): string[] => {
  mkdirSync(join(folder, 'mesh', 'below'), { recursive: true });
  writeFileSync(join(folder, 'mesh', 'a.yaml'), 'a: 1\n');
  return [join(folder, 'mesh')];
};

test(
  'writes, new files, removals and renames over a file, at any depth',
  watching(mesh, async ({ folder, write, seen }) => {
    await seen('a write', () => write('mesh/a.yaml', 'a: 2\n'));
    await seen('the same size', () => write('mesh/a.yaml', 'a: 3\n'));
    await seen('a new file', () => write('mesh/below/b.yaml', 'b: 1\n'));
    await seen('a new folder', () => write('mesh/new/deep/c.yaml', 'c: 1\n'));
    await seen('a change in the new folder', () => write('mesh/new/deep/c.yaml', 'c: 2\n'));
    for (const text of ['a: 4\n', 'a: 5\n'])
      await seen('a rename over it', () => {
        write('mesh/.a.yaml.swp', text);
        renameSync(join(folder, 'mesh/.a.yaml.swp'), join(folder, 'mesh/a.yaml'));
      });
    await seen('a removal', () => rmSync(join(folder, 'mesh/below/b.yaml')));
  }),
);

test(
  'a folder that is removed, made again, or replaced by another',
  watching(mesh, async ({ folder, write, seen }) => {
    const path = join(folder, 'mesh');
    await seen('the removal', () => rmSync(path, { recursive: true }));
    await seen('the new folder', () => write('mesh/a.yaml', 'a: 2\n'));
    await seen('a change in it', () => write('mesh/a.yaml', 'a: 3\n'));
    write('other/a.yaml', 'a: 4\n');
    await seen('another in its place', () => {
      renameSync(path, join(folder, 'old'));
      renameSync(join(folder, 'other'), path);
    });
    await seen('a change in that one', () => write('mesh/a.yaml', 'a: 5\n'));
  }),
);

test(
  'a single file, replaced and replaced again',
  watching(
    (folder) => {
      writeFileSync(join(folder, 'one.yaml'), 'a: 1\n');
      return [join(folder, 'one.yaml')];
    },
    async ({ folder, write, seen }) => {
      for (let i = 2; i < 5; i++)
        await seen('a rename over it', () => {
          write('one.tmp', `a: ${i}\n`);
          renameSync(join(folder, 'one.tmp'), join(folder, 'one.yaml'));
        });
      await seen('a write', () => write('one.yaml', 'a: 9\n'));
    },
  ),
);

test(
  'a path that is not there yet',
  watching(
    (folder) => [join(folder, 'later')],
    async ({ write, seen }) => {
      await seen('it appears', () => write('later/a.yaml', 'a: 1\n'));
      await seen('a change', () => write('later/a.yaml', 'a: 2\n'));
    },
  ),
);

test(
  'links that are pointed elsewhere, as mounted ConfigMaps are',
  watching(
    (folder) => {
      for (const v of ['v1', 'v2']) {
        mkdirSync(join(folder, v));
        writeFileSync(join(folder, v, 'a.yaml'), `a: ${v}\n`);
      }
      mkdirSync(join(folder, 'mesh'));
      symlinkSync(join(folder, 'v1'), join(folder, 'mesh', '..data'));
      symlinkSync(join('..data', 'a.yaml'), join(folder, 'mesh', 'a.yaml'));
      return [join(folder, 'mesh')];
    },
    async ({ folder, seen }) => {
      await seen('the swap', () => {
        symlinkSync(join(folder, 'v2'), join(folder, 'mesh', '..tmp'));
        renameSync(join(folder, 'mesh', '..tmp'), join(folder, 'mesh', '..data'));
      });
    },
  ),
);

test(
  'links in a circle do not hang it',
  watching(
    (folder) => {
      const [path] = mesh(folder) as [string];
      symlinkSync(path, join(path, 'below', 'up'));
      return [path];
    },
    async ({ write, seen }) => {
      await seen('a write', () => write('mesh/a.yaml', 'a: 2\n'));
    },
  ),
);

test(
  'a burst is one change; what the loader does not read is none',
  watching(mesh, async ({ write, seen, count, folder }) => {
    await seen('the burst', () => {
      for (let i = 0; i < 200; i++) write(`mesh/many-${i}.yaml`, 'x: 1\n');
    });
    await new Promise((r) => setTimeout(r, 400));
    assert.is(count(), 1);
    write('mesh/notes.txt', 'x');
    write('mesh/.hidden.yaml', 'x');
    writeFileSync(join(folder, 'beside.yaml'), 'x');
    await new Promise((r) => setTimeout(r, 400));
    assert.is(count(), 1);
  }),
);

test(
  'a file that is emptied on its way to new content is one change; one that stays empty is told too',
  watching(mesh, async ({ folder, write, seen, count }) => {
    const path = join(folder, 'mesh', 'a.yaml');
    await seen('the new content', () => {
      truncateSync(path);
      setTimeout(() => write('mesh/a.yaml', 'a: 22\n'), 100);
    });
    await new Promise((r) => setTimeout(r, 300));
    assert.is(count(), 1);
    await seen('the empty file', () => truncateSync(path));
  }),
);

test(
  'nothing more after close',
  withScratch(async (folder, write) => {
    mkdirSync(join(folder, 'mesh'));
    let count = 0;
    const watched = await watchPaths([join(folder, 'mesh')], () => count++);
    write('mesh/a.yaml', 'a: 1\n');
    watched.close();
    await new Promise((r) => setTimeout(r, 300));
    assert.is(count, 0);
  }),
);

test.run();
