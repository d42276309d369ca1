import type { HTTPMatchRequest, StringMatch, VirtualService } from '../../config/kinds/networking.ts';
import type { FieldPath, Resource } from '../../config/resource.ts';
import type { Analyzer } from '../analyzer.ts';
import type { ReportFinding } from '../finding.ts';
import { type RegexProgram, regexProgram } from '../model/regex-program.ts';

/** Envoy's runtime key re2.max_program_size.error_level as Istio's bootstrap sets it. */
const REFUSED_SIZE = 32_768;
/** Envoy's own default for the same. */
const COSTLY_SIZE = 1000;

/** Conditions that no request meets, and expressions that cost too much. */
export const matches: Analyzer = {
  name: 'fl-matches',
  codes: ['FL0109', 'FL0110', 'FL0111'],
  run(model, report) {
    const programs = new Map<string, RegexProgram | undefined>();
    const program = (regex: string): RegexProgram | undefined => {
      if (!programs.has(regex)) programs.set(regex, regexProgram(regex));
      return programs.get(regex);
    };
    for (const resource of model.of<VirtualService>('VirtualService')) {
      for (const [i, { match = [] }] of (resource.spec.http ?? []).entries()) {
        for (const [j, one] of match.entries()) checkMatch(resource, one, ['spec', 'http', i, 'match', j], program, report);
      }
    }
  },
};

type Programs = (regex: string) => RegexProgram | undefined;

function checkMatch(resource: Resource, match: HTTPMatchRequest, at: FieldPath, program: Programs, report: ReportFinding): void {
  checkPath(resource, match.uri, [...at, 'uri'], program, report);
  for (const field of ['method', 'authority', 'scheme'] as const) checkText(resource, match[field], [...at, field], program, report);
  for (const field of ['headers', 'withoutHeaders', 'queryParams'] as const) {
    for (const [name, text] of Object.entries(match[field] ?? {})) {
      checkText(resource, text, [...at, field, name], program, report);
      if (field === 'queryParams' || name.startsWith('@') || name === name.toLowerCase()) continue;
      checkName(resource, match[field]!, name, [...at, field], report);
    }
  }
}

function checkPath(resource: Resource, uri: StringMatch | undefined, at: FieldPath, program: Programs, report: ReportFinding): void {
  const never = (field: string, value: string, why: string): void => report('FL0109', resource, [...at, field], { value, why });
  for (const field of ['exact', 'prefix'] as const) {
    const text = uri?.[field];
    if (!text) continue;
    if (!text.startsWith('/') && text !== '*') never(field, text, 'paths begin with a slash');
    else if (/[?#]/.test(text)) never(field, text, 'the query is no part of the path: use `queryParams`');
  }
  const regex = uri?.regex;
  if (regex === undefined) return;
  checkCost(resource, regex, [...at, 'regex'], program, report);
  const compiled = program(regex);
  if (compiled === undefined || compiled.canMatch({ first: '/', never: '?#' })) return;
  const why = !compiled.canMatch()
    ? 'nothing can be before a beginning or behind an end'
    : compiled.canMatch({ first: '/' })
      ? 'the query is no part of the path: use `queryParams`'
      : 'the whole path must match, and paths begin with a slash';
  never('regex', regex, why);
}

function checkText(resource: Resource, text: StringMatch | undefined, at: FieldPath, program: Programs, report: ReportFinding): void {
  const regex = text?.regex;
  if (regex === undefined || regex === '*') return;
  checkCost(resource, regex, [...at, 'regex'], program, report);
  const compiled = program(regex);
  if (compiled === undefined || compiled.canMatch()) return;
  report('FL0109', resource, [...at, 'regex'], { value: regex, why: 'nothing can be before a beginning or behind an end' });
}

function checkCost(resource: Resource, regex: string, at: FieldPath, program: Programs, report: ReportFinding): void {
  const size = program(regex)?.size ?? 0;
  if (size > COSTLY_SIZE) report('FL0110', resource, at, { size, limit: REFUSED_SIZE });
}

function checkName(
  resource: Resource,
  map: Readonly<Record<string, StringMatch>>,
  name: string,
  at: FieldPath,
  report: ReportFinding,
): void {
  const lower = name.toLowerCase();
  const clash = Object.keys(map).some((key) => key !== name && key.toLowerCase() === lower);
  const fix = clash ? undefined : { title: `Write ${name} as ${lower}`, edits: [{ resource, path: [...at, name], key: lower }] };
  report('FL0111', resource, [...at, name], { name, lower }, { atKey: true, ...(fix && { fix }) });
}
