/**
 * The JSON Schema of SARIF 2.1.0 for tests: SARIF_SCHEMA_PATH, or out of a package of the makers of SARIF's libraries, fetched by npm and kept
 * outside the tree. Nothing of that package runs; as a dependency it would bring three more.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

const PACKAGE = '@microsoft/jest-sarif@1.0.0-beta.0';
const MEMBER = 'package/lib/schemas/sarif-2.1.0-rtm.5.json';
const SHA256 = '2d99159ae54a3eea97f81781cff48780548657c35949f4b7f25e99a2ba4de4f8';

/** The schema, or why there is none. In CI there must be one: throws there. */
export function sarifSchema(): { schema: Record<string, unknown> } | { missing: string } {
  const text = schemaText();
  if (typeof text === 'string') return { schema: readable(text) };
  if (process.env['CI']) throw new Error(`CI needs the schema of SARIF: ${text.missing}`);
  return text;
}

/** One pattern has a `]` too many, which ECMA-262 forbids in the Unicode mode that validators use: it is meant as itself. */
const readable = (text: string): Record<string, unknown> => JSON.parse(text.replaceAll('{2}]?$"', '{2}\\\\]?$"'));

function schemaText(): string | { missing: string } {
  const named = process.env['SARIF_SCHEMA_PATH'];
  if (named) return readFileSync(named, 'utf8');
  const folder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'fairlead', 'test');
  const cached = join(folder, 'sarif-2.1.0-rtm.5.json');
  if (existsSync(cached)) return readFileSync(cached, 'utf8');
  const scratch = mkdtempSync(join(tmpdir(), 'fairlead-sarif-'));
  try {
    const packed = spawnSync('npm', ['pack', '--silent', '--pack-destination', scratch, PACKAGE], { encoding: 'utf8', timeout: 120_000 });
    if (packed.status !== 0) return { missing: `npm cannot fetch ${PACKAGE}: ${packed.error?.message ?? packed.stderr.trim()}` };
    const tarball = join(scratch, packed.stdout.trim().split('\n').at(-1)!);
    const { stdout, error, stderr } = spawnSync('tar', ['-xzOf', tarball, MEMBER], { encoding: 'utf8' });
    const sum = createHash('sha256')
      .update(stdout ?? '')
      .digest('hex');
    if (sum !== SHA256) return { missing: `${PACKAGE} has another ${MEMBER}: ${error?.message ?? (stderr.trim() || `SHA-256 ${sum}`)}` };
    mkdirSync(folder, { recursive: true });
    // Another test file may be doing the same.
    writeFileSync(`${cached}.${process.pid}`, stdout);
    renameSync(`${cached}.${process.pid}`, cached);
    return stdout;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
