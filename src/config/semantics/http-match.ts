import type { HTTPMatchRequest } from '../kinds/networking.ts';
import type { FieldPath } from '../resource.ts';
import { quote } from '../validation/describe-value.ts';
import { errorsOnly, type Report } from '../validation/report.ts';
import { checkGatewayNames, checkLabels, checkRegex, checkStringMatch } from './common.ts';
import { isDnsLabel } from './names.ts';

/** Istio's way to match claims of a validated JWT. */
const CLAIM = '@request.auth.claims';
const CLAIM_FORM = /^@request\.auth\.claims(?:\..+|(?:\[[^\]]+\])+)$/;
const PSEUDO = new Set([':method', ':scheme', ':authority', ':path', ':status']);
/** RFC 9110 5.6.2; Istio lets commas pass. */
const TOKEN = /^[-A-Za-z0-9!#$%&'*+.^_`|~,]+$/;

/** The rules of one match of an HTTP route. */
export function checkHttpMatch(match: HTTPMatchRequest, path: FieldPath, { gatewayOnly }: { gatewayOnly: boolean }, report: Report): void {
  for (const field of ['headers', 'withoutHeaders'] as const) {
    for (const [name, value] of Object.entries(match[field] ?? {})) {
      const at = [...path, field, name];
      checkHeader(name, at, gatewayOnly, report);
      // Istio reads `*` as "is there".
      if (field === 'withoutHeaders' && value.regex === '*') continue;
      checkStringMatch(value, at, report);
    }
  }
  if (match.uri?.regex !== undefined) checkRegex(match.uri.regex, [...path, 'uri', 'regex'], report);
  for (const field of ['scheme', 'method', 'authority'] as const) {
    const value = match[field];
    if (value !== undefined) checkStringMatch(value, [...path, field], report);
  }
  for (const [name, value] of Object.entries(match.queryParams ?? {})) checkStringMatch(value, [...path, 'queryParams', name], report);
  checkSourceConditions(match, path, errorsOnly(report));
}

function checkHeader(name: string, path: FieldPath, gatewayOnly: boolean, report: Report): void {
  if (name.startsWith(CLAIM)) {
    if (!gatewayOnly) report.error(path, 'semantic/claim', 'claims of a JWT can be matched at gateways only', { atKey: true });
    if (CLAIM_FORM.test(name)) return;
  }
  if (PSEUDO.has(name) || TOKEN.test(name)) return;
  report.error(path, 'semantic/header', name === '' ? 'a header name must not be empty' : `${quote(name)} is no header name`, {
    atKey: true,
  });
}

/** What HTTP, TLS and TCP matches share. */
export function checkSourceConditions(
  match: { sourceLabels?: Record<string, string>; gateways?: string[]; sourceNamespace?: string },
  path: FieldPath,
  report: Report,
): void {
  checkLabels(match.sourceLabels, [...path, 'sourceLabels'], report);
  checkGatewayNames(match.gateways, [...path, 'gateways'], report);
  if (match.sourceNamespace && !isDnsLabel(match.sourceNamespace)) {
    report.error([...path, 'sourceNamespace'], 'semantic/namespace', `${quote(match.sourceNamespace)} is no namespace`);
  }
}
