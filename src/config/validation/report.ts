import type { Problem } from '../../errors.ts';
import type { TextSource } from '../document-source.ts';
import { type FieldPath, formatPath } from '../resource.ts';

/** More about a finding. */
export interface FindingOptions {
  hint?: string | undefined;
  /** The position is that of the key, for fields that should not be there. */
  atKey?: boolean;
}

/** Where rules put what they find. Paths are copied: a caller may go on changing its own. */
export interface Report {
  error(path: FieldPath, rule: string, message: string, options?: FindingOptions): void;
  warning(path: FieldPath, rule: string, message: string, options?: FindingOptions): void;
  /** The value as written in the file, to be quoted in a message. */
  writtenAt(path: FieldPath): string | undefined;
  /** How many of the errors so far make the object's types unreliable: rules that read it have to be left out. */
  readonly typeErrors: number;
}

/** A report that collects into `problems`; positions are looked up only here. `origin` is asked for when something is found. */
export function createReport(problems: Problem[], source: TextSource, origin: () => string | undefined): Report {
  let typeErrors = 0;
  const add = (severity: Problem['severity'], path: FieldPath, rule: string, message: string, options: FindingOptions = {}): void => {
    const position = options.atKey ? source.keyPositionOf(path) : source.positionOf(path);
    const named = origin();
    problems.push({
      severity,
      rule,
      message: named?.startsWith('Secret') && (path[0] === 'data' || path[0] === 'stringData') ? withoutValue(message) : message,
      ...(options.hint === undefined ? {} : { hint: options.hint }),
      position,
      ...(named === undefined ? {} : { origin: named }),
      ...(path.length === 0 ? {} : { path: formatPath(path) }),
    });
  };
  return {
    error(path, rule, message, options) {
      if (TYPE_RULES.has(rule)) typeErrors++;
      add('error', path, rule, message, options);
    },
    warning: (path, rule, message, options) => add('warning', path, rule, message, options),
    writtenAt: (path) => source.writtenAt(path),
    get typeErrors() {
      return typeErrors;
    },
  };
}

/** Values of Secrets are not quoted. */
const withoutValue = (message: string): string => message.replace(/, not the (string|number) .*$/s, ', not a $1');

const TYPE_RULES = new Set(['schema/type', 'schema/required', 'schema/empty-entry']);

/** The same report, whose `typeErrors` are all errors from now on: for documents that are read only when there are none. */
export function countingAll(report: Report): Report {
  let wrong = 0;
  return {
    ...report,
    error: (...finding) => {
      wrong++;
      report.error(...finding);
    },
    get typeErrors() {
      return wrong;
    },
  };
}

/** The same report without its warnings: Istio loses those of some places, and people's suppressions count on that. */
export function errorsOnly(report: Report): Report {
  return {
    error: (...finding) => report.error(...finding),
    warning: () => {},
    writtenAt: (path) => report.writtenAt(path),
    get typeErrors() {
      return report.typeErrors;
    },
  };
}
