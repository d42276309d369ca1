/** The analysis of a configuration: what loading found and what the analyzers find, less what is suppressed, in a fixed order. */
import type { ParseResult } from '../config/parse-config.ts';
import { formatPath, originOf, type Position } from '../config/resource.ts';
import type { TextFile } from '../config/text-file.ts';
import type { Analyzer } from './analyzer.ts';
import { documentationUrl, messageByCode, renderMessage } from './catalogue/catalogue.ts';
import { type Finding, LEVELS, type RawFinding } from './finding.ts';
import { fingerprinter } from './fingerprint.ts';
import { type InputFinding, inputFindings } from './input-findings.ts';
import { analysisModel } from './model/analysis-model.ts';
import { fixOfProblem } from './model/problem-fixes.ts';
import { uncheckedParts } from './model/unchecked-parts.ts';
import { runAnalyzers } from './run-analyzers.ts';
import type { FlagSuppression } from './suppressions.ts';
import { createSuppressor } from './suppressor.ts';

/** How a configuration is analyzed. */
export interface AnalyzeOptions {
  /** Only findings on objects of this namespace, on cluster-scoped ones, and on what could not be read. Everything is still looked at. */
  readonly onlyNamespace?: string | undefined;
  readonly suppress?: readonly FlagSuppression[] | undefined;
  /** Nothing is said of documents that are no objects of a cluster. */
  readonly ignoreUnknown?: boolean | undefined;
  /** What is not in the configuration does not exist: hosts, Pods and Secrets that are not there are reported even if there are none at all. */
  readonly complete?: boolean | undefined;
  /** The proxies are Fairlead's own: what they do not carry out is reported. */
  readonly ownProxies?: boolean | undefined;
  /** All analyzers without it; none for the rules of single objects only. */
  readonly analyzers?: readonly Analyzer[] | undefined;
  /** For the validity of certificates, milliseconds since 1970; the present without it. */
  readonly now?: number | undefined;
}

/** What an analysis gives. */
export interface Analysis {
  readonly findings: readonly Finding[];
  /** How many findings were suppressed. */
  readonly suppressed: number;
  /** What could not be checked since the input does not show it, in a few words each. */
  readonly unchecked: readonly string[];
}

/** What is analyzed: a configuration as it was loaded, and its texts, for comments that suppress. */
export type AnalyzeInput = Pick<ParseResult, 'resources' | 'problems' | 'meshConfig'> & { readonly texts?: readonly TextFile[] };

/** Analyzes a configuration. Errors of single documents stop nothing. */
export async function analyze(input: AnalyzeInput, options: AnalyzeOptions = {}): Promise<Analysis> {
  const { resources, problems, meshConfig, texts = [] } = input;
  const model = analysisModel({ resources, meshConfig, complete: options.complete, ownProxies: options.ownProxies, now: options.now });
  const found = await runAnalyzers(model, options.analyzers);
  // Object by object: the positions of one document are found together.
  const raw = [...Map.groupBy(found, ({ resource }) => resource).values()].flat();
  const suppressor = createSuppressor(resources, texts, options.suppress ?? []);
  const findings: Unsigned[] = [];
  let suppressed = 0;
  const seen = new Set<string>();
  const add = (finding: Unsigned): void => {
    const { position: p } = finding;
    const key = `${finding.code} ${finding.origin} ${p?.file}:${p?.line}:${p?.column} ${finding.message}`;
    if (seen.has(key)) return;
    seen.add(key);
    if (suppressor.isSuppressed(finding)) suppressed++;
    else if (isShown(finding, options.onlyNamespace)) findings.push(finding);
  };
  for (const found of inputFindings(problems, resources, options.ignoreUnknown ?? false)) add(fromInput(found));
  let before: unknown;
  raw.reverse();
  for (let found = raw.pop(); found !== undefined; found = raw.pop()) {
    // Equal ones are of one object.
    if (found.resource !== before) seen.clear();
    before = found.resource;
    add(fromAnalyzer(found));
  }
  for (const unused of suppressor.unused()) {
    const finding = { ...describe('FL0005', { suppression: unused.what }), ...unused, path: '', related: [] };
    if (isShown(finding, options.onlyNamespace)) findings.push(finding);
  }
  findings.sort(compareFindings);
  const sign = findings.length === 0 ? () => '' : fingerprinter();
  // In place: there may be tens of thousands.
  for (const finding of findings) finding.fingerprint = sign(finding);
  return {
    findings,
    suppressed,
    unchecked: uncheckedParts(model),
  };
}

/** A finding whose fingerprint is not there yet. */
type Unsigned = Omit<Finding, 'fingerprint'> & { fingerprint: string };

function describe(code: string, args: RawFinding['args']) {
  const message = messageByCode(code);
  if (message === undefined) throw new Error(`no message ${code}`);
  const { name, level, template, text, hint } = message;
  return {
    code,
    name,
    level,
    message: text === undefined ? renderMessage(template, args) : text(args),
    ...(hint === undefined ? {} : { hint }),
    args,
    documentationUrl: documentationUrl(code),
    fingerprint: '',
  };
}

function fromAnalyzer({ code, resource, at, atKey, args, related = [], fix }: RawFinding): Unsigned {
  const { kind, metadata, source } = resource;
  return {
    ...describe(code, args),
    origin: originOf(resource),
    kind,
    namespace: metadata.namespace,
    resourceName: metadata.name,
    position: atKey ? source.keyPositionOf(at) : source.positionOf(at),
    path: formatPath(at),
    related: related.map((place) => ({
      origin: originOf(place.resource),
      note: place.note,
      position: place.resource.source.positionOf(place.at),
      path: formatPath(place.at),
    })),
    ...(fix === undefined ? {} : { fix }),
  };
}

function fromInput({ code, problem, resource }: InputFinding): Unsigned {
  const { message, hint, position, origin, path = '' } = problem;
  const described = describe(code, { err: message, problem: message });
  const fix = fixOfProblem(problem, resource);
  const [kind = '', name = ''] = origin?.split(' ') ?? [];
  const slash = name.indexOf('/');
  return {
    ...described,
    ...(hint === undefined ? {} : { hint }),
    args: code.startsWith('IST') ? { err: message } : { problem: message },
    origin: origin ?? `File ${position?.file ?? ''}`,
    kind: resource?.kind ?? kind,
    namespace: resource?.metadata.namespace ?? (slash === -1 ? '' : name.slice(0, slash)),
    resourceName: resource?.metadata.name ?? name.slice(slash + 1),
    position,
    path,
    related: [],
    ...(fix === undefined ? {} : { fix }),
  };
}

/** istioctl's filter: the namespace's own objects, its Namespace, and all that belongs to no namespace. */
function isShown({ namespace, kind, resourceName }: Unsigned, only: string | undefined): boolean {
  if (only === undefined || namespace === only) return true;
  return namespace === '' && (kind !== 'Namespace' || resourceName === only);
}

/** istioctl's order, then by place. */
function compareFindings(a: Unsigned, b: Unsigned): number {
  const text = (x: string, y: string): number => (x < y ? -1 : x > y ? 1 : 0);
  return (
    LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level) ||
    text(a.code, b.code) ||
    text(a.kind, b.kind) ||
    text(a.resourceName, b.resourceName) ||
    text(a.namespace, b.namespace) ||
    comparePlaces(a.position, b.position) ||
    text(a.message, b.message)
  );
}

function comparePlaces(a: Position | undefined, b: Position | undefined): number {
  if (a === undefined || b === undefined) return 0;
  return (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column;
}
