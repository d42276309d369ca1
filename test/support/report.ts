/** Bug reports as whoever gets one reads them. */
import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import * as assert from 'uvu/assert';
import type { ReportManifest } from '../../agent/report/run-report.ts';

export interface OpenedReport {
  /** By path below the archive’s folder. */
  readonly files: ReadonlyMap<string, string>;
  readonly manifest: ReportManifest;
  json<T>(path: string): T;
}

/** Unpacks an archive with the system's own tar. */
export function openReport(archive: string, into: string): OpenedReport {
  mkdirSync(into, { recursive: true });
  const { status, stderr } = spawnSync('tar', ['xzf', archive, '-C', into], { encoding: 'utf8' });
  assert.is(status, 0, stderr);
  assert.is(stderr, '');
  const [folder] = globSync('fairlead-bug-report-*', { cwd: into });
  const root = join(into, folder as string);
  const files = new Map(
    globSync('**/*', { cwd: root })
      .map((name) => join(root, name))
      .filter((path) => statSync(path).isFile())
      .map((path) => [relative(root, path), readFileSync(path, 'utf8')] as const),
  );
  const json = <T>(path: string): T => {
    const text = files.get(path);
    assert.ok(text !== undefined, `${path} is in it, beside ${[...files.keys()].join(', ')}`);
    return JSON.parse(text as string) as T;
  };
  const manifest = json<ReportManifest>('manifest.json');
  assert.equal(
    [...files.keys()].sort(),
    [...manifest.files.map(({ path }) => path), 'manifest.json'].sort(),
    'the manifest lists what is there',
  );
  return { files, manifest, json };
}

/** No file has any of the secrets: as they are, in base64, or escaped. */
export function holdsNone({ files }: OpenedReport, secrets: readonly string[]): void {
  for (const [path, text] of files)
    for (const secret of secrets)
      for (const form of [secret, Buffer.from(secret).toString('base64').replace(/=+$/, ''), encodeURIComponent(secret)])
        assert.not.ok(text.includes(form), `${path} has ${secret}: ${around(text, form)}`);
}

function around(text: string, found: string): string {
  const at = text.indexOf(found);
  return JSON.stringify(text.slice(Math.max(0, at - 80), at + found.length + 20));
}
