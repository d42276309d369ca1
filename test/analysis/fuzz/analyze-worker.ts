/** Analyzes what it is sent, in a thread of its own: a hang or a full heap there is seen from outside. */
import { parentPort } from 'node:worker_threads';
import { analyze } from '../../../src/analysis/analyze.ts';
import { decodeFile } from '../../../src/config/decode-file.ts';
import { parseFiles } from '../../../src/config/parse-config.ts';
import type { TextFile } from '../../../src/config/text-file.ts';
import { textFile } from '../../../src/config/text-file.ts';
import { FINDING_FORMATS, formatFindings } from '../../../src/output/findings/format.ts';
import { joined } from '../../support/joined.ts';

/** Always found, to see that the rest is analyzed: a port without a protocol. */
const WITNESS =
  'apiVersion: v1\nkind: Service\nmetadata: {name: fuzz-witness, namespace: fuzz}\nspec: {ports: [{name: web, port: 8080}]}\n';

/** What no person should ever read. */
const INTERNAL = /undefined|\[object |\bat .*\.ts:\d|TypeError|RangeError|NaN:|internal error/;

async function check(bytes: Uint8Array): Promise<string | undefined> {
  const decoded = decodeFile('bad.yaml', Buffer.from(bytes), 2 ** 26);
  const texts: TextFile[] = [...('text' in decoded ? [decoded] : []), textFile('witness.yaml', WITNESS)];
  const loaded = await parseFiles(texts);
  const problems = 'text' in decoded ? loaded.problems : [decoded, ...loaded.problems];
  const { findings, suppressed, unchecked } = await analyze({ ...loaded, problems, texts });
  if (!findings.some(({ code, resourceName }) => code === 'IST0118' && resourceName === 'fuzz-witness'))
    return 'the other file was not analyzed';
  const written = 'text' in decoded ? decoded.text : '';
  for (const { code, message, position, related } of findings) {
    const internal = INTERNAL.exec(message);
    if (internal !== null && !written.includes(internal[0])) return `${code} says ${message.slice(0, 500)}`;
    for (const place of [position, ...related.map((other) => other.position)]) {
      if (place === undefined) continue;
      if (!(place.line >= 1 && place.column >= 1)) return `${code} is at ${JSON.stringify(place)}`;
      const file = texts.find(({ name }) => name === place.file);
      if (file !== undefined && place.line > 1 && file.line(place.line) === undefined)
        return `${code} is beyond the end, at line ${place.line}`;
    }
  }
  const { skipped, files, resources } = { ...loaded, files: texts.length };
  const report = { findings, suppressed, known: 0, files, resources: resources.length, skipped, unchecked, paths: ['.'] };
  const sources = new Map(texts.map(({ name, text }) => [name, text]));
  for (const format of FINDING_FORMATS) {
    const shown = await joined(formatFindings(format, report, { sources, width: 80, version: '0' }, 'Error'));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come out.
    if (format === 'text' && /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(shown)) return 'the text has control characters';
    if (format === 'json' || format === 'sarif') JSON.parse(shown);
  }
  return undefined;
}

parentPort!.on('message', async (bytes: Uint8Array) => {
  try {
    parentPort!.postMessage({ wrong: await check(bytes) });
  } catch (error) {
    parentPort!.postMessage({ wrong: (error as Error).stack ?? String(error) });
  }
});
