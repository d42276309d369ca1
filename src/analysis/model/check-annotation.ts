import { opaqueSource } from '../../config/document-source.ts';
import { MeshProxyConfig } from '../../config/kinds/mesh-config.ts';
import { isSubnet } from '../../config/semantics/names.ts';
import { checkProxyConfig } from '../../config/semantics/proxy-config.ts';
import { checkValue } from '../../config/validation/check-value.ts';
import { createReport } from '../../config/validation/report.ts';
import { schemaNode } from '../../config/validation/schema-node.ts';
import { parseDocument } from '../../config/yaml/parse-document.ts';
import type { Problem } from '../../errors.ts';
import type { AnnotationCheck } from './known-annotations.ts';

const BOOLEANS = new Set(['1', 't', 'T', 'TRUE', 'true', 'True', '0', 'f', 'F', 'FALSE', 'false', 'False']);
const INTERFACE = /^[A-Za-z][A-Za-z0-9_.-]{0,14}$/;
/** Kubernetes' resource.Quantity. */
const QUANTITY = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$/;

/** What is wrong with an annotation's value; undefined when nothing is. */
export function annotationProblem(check: AnnotationCheck, value: string): string | undefined {
  switch (check) {
    case 'boolean':
      return BOOLEANS.has(value) ? undefined : `${JSON.stringify(value)} is no boolean`;
    case 'uint32':
      return /^[0-9]+$/.test(value) && Number(value) <= 0xffffffff ? undefined : `${JSON.stringify(value)} is no whole number`;
    case 'interceptionMode':
      return ['REDIRECT', 'TPROXY', 'NONE'].includes(value) ? undefined : 'it must be REDIRECT, TPROXY or NONE';
    case 'quantity':
      return QUANTITY.test(value) ? undefined : `${JSON.stringify(value)} is no quantity`;
    case 'port':
      return portProblem(value);
    case 'ports':
      return portsProblem(value);
    case 'anyPorts':
      return value === '*' ? undefined : portsProblem(value);
    case 'cidrs':
      return cidrsProblem(value);
    case 'anyCidrs':
      return value === '*' ? undefined : cidrsProblem(value);
    case 'interfaces':
      return interfacesProblem(value);
    case 'proxyConfig':
      return proxyConfigProblem(value);
  }
}

function portProblem(text: string): string | undefined {
  const number = text.trim();
  return /^[0-9]+$/.test(number) && Number(number) <= 65535 ? undefined : `${JSON.stringify(text)} is no port`;
}

function portsProblem(value: string): string | undefined {
  if (value.trim() === '') return undefined;
  return value
    .split(',')
    .map(portProblem)
    .find((problem) => problem !== undefined);
}

function cidrsProblem(value: string): string | undefined {
  if (value === '') return undefined;
  const bad = value.split(',').find((cidr) => !cidr.includes('/') || !isSubnet(cidr));
  return bad === undefined ? undefined : `${JSON.stringify(bad)} is no range of addresses, such as 10.0.0.0/8`;
}

function interfacesProblem(value: string): string | undefined {
  if (value.trim() === '') return undefined;
  const bad = value.split(',').find((name) => !INTERFACE.test(name.trim()));
  return bad === undefined ? undefined : `${JSON.stringify(bad)} is no name of a network interface`;
}

/** The rules of the mesh's own `defaultConfig`, over which the annotation is laid. */
function proxyConfigProblem(value: string): string | undefined {
  const parsed = parseDocument(value);
  if (!parsed.ok) return `it is not YAML: ${parsed.failure.reason}`;
  if (parsed.value === null) return undefined;
  const problems: Problem[] = [];
  const report = createReport(problems, opaqueSource(''), () => undefined);
  checkValue(schemaNode(MeshProxyConfig), parsed.value, { report, path: [], chain: [] });
  if (report.typeErrors === 0) checkProxyConfig(parsed.value as MeshProxyConfig, [], report);
  const first = problems.find((problem) => problem.severity === 'error');
  return first === undefined ? undefined : `${first.message}${first.path ? ` (${first.path})` : ''}`;
}
