/** A first file of tests, from what explanations say today. */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ConfigSource } from '../config/sources/config-source.ts';
import { FairleadError } from '../errors.ts';
import { explainConnection, explainRequest } from '../explain/explain.ts';
import { type RecordedTest, recordTest } from '../explain/test/record.ts';
import type { Case, Sender } from '../explain/test/types.ts';
import type { HeaderLine } from '../explain/types.ts';
import { parseUrl, splitAuthority } from '../explain/url.ts';
import { sourceName } from './cluster-flags.ts';
import { headerLine } from './explain-question.ts';
import { loadMesh } from './explain-source.ts';
import { meshViews, type ProxyChoice } from './mesh-views.ts';
import { isFolder } from './route-tests.ts';

export interface RecordChoice extends ProxyChoice {
  namespace?: string | undefined;
  'mesh-config'?: string | undefined;
  /** A cluster, read besides. */
  besides?: ConfigSource | undefined;
  method?: string | undefined;
  header?: string[] | undefined;
  /** `-`: standard output. */
  write?: string | undefined;
  force?: boolean | undefined;
}

export interface Recorded {
  readonly tests: readonly RecordedTest[];
  /** undefined: standard output. */
  readonly file: string | undefined;
  readonly text: string;
}

/**
 * Explains the URLs and writes tests that expect just that. Throws E_USAGE for what is no URL, for a file that is there already, and for
 * what explanations cannot tell; E_PROXY_UNKNOWN, E_CONFIG_UNREADABLE, E_CONFIG_INVALID, E_FILE_UNWRITABLE.
 *
 * @param format the text of the file
 */
export async function recordTests(
  urls: readonly string[],
  config: readonly string[],
  choice: RecordChoice,
  format: (tests: readonly RecordedTest[]) => string,
): Promise<Recorded> {
  if (urls.length === 0)
    throw new FairleadError('E_USAGE', 'there is nothing to record: no URL', {
      next: 'Write `fairlead test --record http://HOST[:PORT]/PATH…`.',
    });
  const cases = urls.map((url) => caseOf(url, choice));
  const file = placeOf(choice.write, config);
  const before = file === undefined ? undefined : await textOf(file);
  if (before !== undefined && choice.force !== true)
    throw new FairleadError('E_USAGE', `${file} is there already`, {
      next: 'Overwrite it with --force, or name another file with --write FILE.',
    });
  const { mesh } = await loadMesh(choice, config, (text) => process.stderr.write(`warning: ${text}\n`));
  const views = meshViews(mesh, sourceName(config, choice.besides));
  const sender: Sender = {
    ...(choice.from !== undefined && { from: choice.from }),
    ...(choice.to !== undefined && { to: choice.to }),
    ...(choice.gateway !== undefined && { gateway: choice.gateway }),
  };
  const tests = cases.map((one, i) => {
    const { view } = views.choose(sender, one.host);
    const explanation = one.kind === 'request' ? explainRequest(view, one.request) : explainConnection(view, one.connection);
    const unknown = explanation.outcomes.find((o) => o.type === 'unknown');
    if (unknown !== undefined)
      throw new FairleadError('E_USAGE', `what happens to ${urls[i]} cannot be recorded: ${unknown.summary}`, {
        next: `See \`fairlead explain ${urls[i]}\`.`,
      });
    return recordTest(one, sender, explanation);
  });
  const text = format(tests);
  if (file !== undefined) {
    const { writeChanges } = await import('../edit/write-changes.ts');
    await writeChanges([{ file, before, after: text }]);
  }
  return { tests, file, text };
}

function placeOf(written: string | undefined, [first = '-']: readonly string[]): string | undefined {
  if (written !== undefined) return written === '-' ? undefined : written;
  if (first === '-')
    throw new FairleadError('E_USAGE', 'nothing lies beside standard input, nor beside a cluster', {
      next: 'Name a file with --write FILE.',
    });
  return join(isFolder(first) ? first : dirname(first), 'recorded.mesh-test.yaml');
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new FairleadError('E_FILE_UNWRITABLE', `cannot write ${file}: ${(error as Error).message}`);
  }
}

function caseOf(text: string, { method: typed = 'GET', header = [], to }: RecordChoice): Case {
  const tcp = /^tcp:\/\/(.*)$/i.exec(text);
  if (tcp !== null) {
    const split = splitAuthority(tcp[1]!);
    if (split?.port === undefined) throw new FairleadError('E_USAGE', `${JSON.stringify(text)} is no tcp://HOST:PORT`);
    const { host, port } = split;
    return { kind: 'connection', host, connection: { host, port, ...(to !== undefined && { entry: { kind: 'inbound', port } }) } };
  }
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(typed)) throw new FairleadError('E_USAGE', `${JSON.stringify(typed)} is no method`);
  const url = parseUrl(text);
  if (typeof url === 'string')
    throw new FairleadError('E_USAGE', url, {
      next: 'A URL is http://HOST[:PORT]/PATH or https://HOST[:PORT]/PATH; a connection is tcp://HOST:PORT.',
    });
  const headers: HeaderLine[] = header.map(headerLine);
  const names = headers.map(([name]) => name.toLowerCase());
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new FairleadError('E_USAGE', `the header ${twice} is given twice: a test has each once`);
  const host = headers.find(([name]) => name.toLowerCase() === 'host')?.[1];
  const asked = host === undefined ? url.host : (splitAuthority(host)?.host ?? url.host);
  return {
    kind: 'request',
    host: asked,
    request: {
      method: typed.toLowerCase() === typed ? typed.toUpperCase() : typed,
      url: `${url.scheme}://${url.authority}${url.path}`,
      headers,
      ...(to !== undefined && { entry: { kind: 'inbound', port: url.port } }),
    },
  };
}
