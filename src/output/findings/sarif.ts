/** SARIF 2.1.0, which code hosts show beside the lines: https://docs.oasis-open.org/sarif/sarif/v2.1.0/. */
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { messageByCode } from '../../analysis/catalogue/catalogue.ts';
import type { Finding, Level } from '../../analysis/finding.ts';
import type { Position } from '../../config/resource.ts';
import { jsonList } from '../json-list.ts';
import type { FindingsFormat, FindingsReport } from './report.ts';

const SARIF_LEVELS: Record<Level, 'error' | 'warning' | 'note'> = { Error: 'error', Warning: 'warning', Info: 'note' };
const SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json';

/** One run with its rules and results. */
export function* findingsSarif({ findings }: FindingsReport, { version }: FindingsFormat): Generator<string, void> {
  const codes = [...new Set(findings.map((finding) => finding.code))].sort();
  const log = {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'fairlead', version, rules: codes.map(rule) } },
        columnKind: 'utf16CodeUnits',
        results: [],
      },
    ],
  };
  const empty = JSON.stringify(log, null, 2);
  // The results are the last thing in it.
  const at = empty.lastIndexOf('[]');
  yield empty.slice(0, at);
  yield* jsonList(findings, (finding) => result(finding, codes.indexOf(finding.code)), '      ');
  yield `${empty.slice(at + 2)}\n`;
}

function rule(code: string): object {
  const { name, level, summary, effect, hint } = messageByCode(code)!;
  return {
    id: code,
    name,
    shortDescription: { text: summary },
    fullDescription: { text: `${summary} ${effect}` },
    ...(hint === undefined ? {} : { help: { text: hint } }),
    ...(code.startsWith('IST') ? { helpUri: `https://istio.io/latest/docs/reference/config/analysis/${code.toLowerCase()}/` } : {}),
    defaultConfiguration: { level: SARIF_LEVELS[level] },
  };
}

function result(finding: Finding, ruleIndex: number): object {
  const { code, level, message, hint, origin, path, position, related, fingerprint } = finding;
  const logical = { fullyQualifiedName: path === '' ? origin : `${origin} ${path}`, kind: 'resource' };
  return {
    ruleId: code,
    ruleIndex,
    level: SARIF_LEVELS[level],
    message: { text: hint === undefined ? `${origin}: ${message}.` : `${origin}: ${message}. ${hint}.` },
    locations: [{ ...(position === undefined ? {} : { physicalLocation: physical(position) }), logicalLocations: [logical] }],
    ...(related.length === 0
      ? {}
      : {
          relatedLocations: related.map((place, i) => ({
            id: i + 1,
            physicalLocation: physical(place.position),
            message: { text: `${place.origin}: ${place.note}` },
          })),
        }),
    partialFingerprints: { 'fairlead/v1': fingerprint },
  };
}

function physical({ file, line, column }: Position): object {
  return { artifactLocation: { uri: uriOf(file) }, ...(line === 0 ? {} : { region: { startLine: line, startColumn: column } }) };
}

/** Relative paths stay relative, to the repository that they are read in; RFC 3986 has no back-slashes, spaces or colons in a first segment. */
function uriOf(file: string): string {
  if (file === '-') return 'stdin';
  if (isAbsolute(file)) return pathToFileURL(file).href;
  return file.replaceAll('\\', '/').replace(/^\.\//, '').split('/').map(encodeURIComponent).join('/');
}
