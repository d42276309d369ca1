import type { TSchema } from 'typebox';
import type { Problem } from '../errors.ts';
import type { TextSource } from './document-source.ts';
import type { Kind } from './kinds/kind.ts';
import { originOf, type Resource } from './resource.ts';
import { findSemantics } from './semantics/find-semantics.ts';
import { checkValue } from './validation/check-value.ts';
import { conform } from './validation/conform.ts';
import { readMetadata } from './validation/metadata.ts';
import { createReport, type Report } from './validation/report.ts';
import { type SchemaNode, schemaNode } from './validation/schema-node.ts';
import { fieldHint, nearest } from './validation/suggest.ts';

/** An object whose kind is known. */
export interface KindedObject {
  readonly value: Record<string, unknown>;
  readonly kind: Kind;
  readonly apiVersion: string;
  readonly version: string;
}

/**
 * Holds one object against its kind: metadata, the schema to the last field, then the rules that need this object alone.
 * Everything that is wrong goes into `problems`, with positions from `source`.
 *
 * Returns the resource, also with problems: the caller decides what an error stops. Fields that are null are removed from `value`.
 */
export function validate(object: KindedObject, source: TextSource, defaultNamespace: string, problems: Problem[]): Resource {
  const { value, kind, apiVersion, version } = object;
  let named: string | undefined;
  const report = createReport(problems, source, () => named ?? provisionalOrigin(object, defaultNamespace));
  const metadata = readMetadata(value['metadata'], kind, defaultNamespace, report);
  if (metadata.name !== '') named = originOf({ kind: kind.kind, metadata });
  const before = report.typeErrors;
  const first = problems.length;
  const node = schemaNode(kind.schema);
  const spec = kind.payload === 'spec' ? checkSpec(value, node, kind, report) : checkWhole(value, node, report);
  const status = Object.hasOwn(value, 'status') ? value['status'] : undefined;
  const resource: Resource = {
    apiVersion,
    group: kind.group,
    version,
    kind: kind.kind,
    metadata,
    spec,
    ...(status === undefined || status === null ? {} : { status }),
    source,
  };
  // Rules take the types for granted.
  if (report.typeErrors === before) {
    findSemantics(kind)?.(resource, report);
    return resource;
  }
  const safe: Resource = { ...resource, spec: conform(node, spec) };
  const found = problems.slice(first);
  // With a value of a wrong type left out, rules would complain about what is not wrong.
  if (!found.some((problem) => problem.rule === 'schema/type')) problems.push(...furtherProblems(safe, kind, source, found));
  return safe;
}

/** What the rules say of an object that lacks required fields, less what is said of those already. */
function furtherProblems(resource: Resource, kind: Kind, source: TextSource, found: readonly Problem[]): Problem[] {
  const further: Problem[] = [];
  findSemantics(kind)?.(
    resource,
    createReport(further, source, () => originOf(resource)),
  );
  const said = found.map(({ rule, path = '', message }) => {
    const missing = rule === 'schema/required' ? /needs `([^`]+)`/.exec(message)?.[1] : undefined;
    return missing === undefined ? path : `${path}.${missing}`;
  });
  return further.filter(
    ({ path = '' }) => !said.some((place) => path === place || path.startsWith(`${place}.`) || path.startsWith(`${place}[`)),
  );
}

function provisionalOrigin({ kind, value }: KindedObject, defaultNamespace: string): string {
  const metadata = value['metadata'] as { name?: unknown; namespace?: unknown } | null | undefined;
  if (typeof metadata?.name !== 'string' || metadata.name === '') return kind.kind;
  const namespace =
    kind.scope === 'Cluster'
      ? ''
      : typeof metadata.namespace === 'string' && metadata.namespace !== ''
        ? metadata.namespace
        : defaultNamespace;
  return namespace === '' ? `${kind.kind} ${metadata.name}` : `${kind.kind} ${namespace}/${metadata.name}`;
}

const ENVELOPE = ['apiVersion', 'kind', 'metadata', 'spec', 'status'];

function checkSpec(value: Record<string, unknown>, node: SchemaNode, kind: Kind, report: Report): unknown {
  if (kind.unknownFields === 'refuse') {
    for (const key in value) {
      if (ENVELOPE.includes(key)) continue;
      const hint = topHint(key, node);
      report.error([key], 'schema/unknown-field', `there is no field \`${key}\` at the top of a ${kind.kind}`, { atKey: true, hint });
    }
  }
  const spec = Object.hasOwn(value, 'spec') && value['spec'] !== null ? value['spec'] : {};
  checkValue(node, spec, { report, path: ['spec'], chain: [] });
  return spec;
}

function topHint(key: string, spec: SchemaNode): string | undefined {
  if (spec.properties.has(key)) return `\`${key}\` belongs inside \`spec\`, one level down`;
  const similar = nearest(key, [...ENVELOPE, ...spec.properties.keys()]);
  if (similar !== undefined && !ENVELOPE.includes(similar)) return `Did you mean \`${similar}\` inside \`spec\`?`;
  return fieldHint(key, [ENVELOPE_NODE], []);
}

function checkWhole(value: Record<string, unknown>, node: SchemaNode, report: Report): unknown {
  checkValue(withEnvelope(node), value, { report, path: [], chain: [] });
  return value;
}

const wholeNodes = new WeakMap<SchemaNode, SchemaNode>();

/** The schema of a whole object: the payload's, and the fields that every object has. `spec` is only there where it is declared. */
function withEnvelope(node: SchemaNode): SchemaNode {
  let whole = wholeNodes.get(node);
  if (whole === undefined) {
    const properties = new Map(node.properties);
    for (const name of ['apiVersion', 'kind', 'metadata', 'status']) if (!properties.has(name)) properties.set(name, ANYTHING);
    whole = { ...node, properties };
    wholeNodes.set(node, whole);
  }
  return whole;
}

const ANYTHING = schemaNode({} as TSchema);
const ENVELOPE_NODE = schemaNode({
  type: 'object',
  properties: Object.fromEntries(ENVELOPE.map((name) => [name, {}])),
} as unknown as TSchema);
