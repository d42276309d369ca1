import type { Kind } from '../kinds/kind.ts';
import type { Metadata } from '../resource.ts';
import { describeValue, quote } from './describe-value.ts';
import type { Report } from './report.ts';
import { nearest } from './suggest.ts';

/** Fields of Kubernetes' ObjectMeta; all but the ones read here pass unchecked. */
const FIELDS = [
  ...['name', 'generateName', 'namespace', 'labels', 'annotations', 'uid', 'creationTimestamp', 'resourceVersion', 'generation'],
  ...['deletionTimestamp', 'deletionGracePeriodSeconds', 'ownerReferences', 'finalizers', 'managedFields', 'selfLink', 'clusterName'],
];

/** RFC 1123 as Kubernetes applies it: a label, and a subdomain of labels. */
const DNS_LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
/** Kinds whose names are path segments: anything but `/`, `%`, `.` and `..`. */
const FREE_NAMES = new Set(['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding']);

const LABEL_NAME = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/**
 * Reads and checks `metadata`. What is wrong is reported; the result is usable then too, with empty strings for what is missing.
 * Namespaced objects without a namespace are in `defaultNamespace`.
 */
export function readMetadata(value: unknown, kind: Kind, defaultNamespace: string, report: Report): Metadata {
  const empty = { name: '', namespace: '', labels: {}, annotations: {}, creationTime: undefined };
  if (value === undefined || value === null) {
    report.error([], 'metadata/required', 'the object has no `metadata`', { hint: 'Add `metadata:` with a `name`' });
    return empty;
  }
  if (typeof value !== 'object' || Array.isArray(value)) {
    report.error(['metadata'], 'schema/type', `\`metadata\` must be a map, not ${describeValue(value)}`);
    return empty;
  }
  const metadata = value as Record<string, unknown>;
  for (const key in metadata) if (!FIELDS.includes(key)) reportUnknown(key, report);
  const uid = own(metadata, 'uid');
  const generation = own(metadata, 'generation');
  return {
    name: readName(metadata, kind, report),
    namespace: readNamespace(metadata, kind, defaultNamespace, report),
    labels: readStrings(metadata, 'labels', report),
    annotations: readStrings(metadata, 'annotations', report),
    creationTime: readTime(metadata, report),
    ...(typeof uid === 'string' ? { uid } : {}),
    ...(typeof generation === 'number' ? { generation } : {}),
  };
}

const own = (map: Record<string, unknown>, key: string): unknown => (Object.hasOwn(map, key) ? map[key] : undefined);

function reportUnknown(key: string, report: Report): void {
  const similar = nearest(key, FIELDS);
  const hint =
    similar !== undefined ? `Did you mean \`${similar}\`?` : 'Is it indented too far? Own data belongs in `metadata.annotations`';
  report.error(['metadata', key], 'schema/unknown-field', `there is no field \`${key}\` in \`metadata\``, { atKey: true, hint });
}

function readName(metadata: Record<string, unknown>, kind: Kind, report: Report): string {
  const name = own(metadata, 'name');
  const path = ['metadata', 'name'];
  if (name === undefined || name === null || name === '') {
    const hint =
      own(metadata, 'generateName') === undefined ? undefined : '`generateName` needs an API server; give the object a name of its own';
    report.error(['metadata'], 'metadata/required', '`metadata` needs `name`', { atKey: true, hint });
    return '';
  }
  if (typeof name !== 'string') {
    notAString(path, name, report);
    return asText(name) ?? '';
  }
  if (FREE_NAMES.has(kind.kind)) return name;
  if (name.length > 253 || !DNS_SUBDOMAIN.test(name)) {
    const lower = name.toLowerCase().replaceAll('_', '-');
    const message = `the name ${quote(name)} must be lower-case letters, digits, \`-\` and \`.\`, begin and end with a letter or digit, and have at most 253 characters`;
    report.error(path, 'metadata/name', message, {
      hint: lower !== name && DNS_SUBDOMAIN.test(lower) ? `\`${lower}\` would do` : undefined,
    });
  }
  return name;
}

function readNamespace(metadata: Record<string, unknown>, kind: Kind, defaultNamespace: string, report: Report): string {
  const namespace = own(metadata, 'namespace');
  if (kind.scope === 'Cluster') {
    if (typeof namespace === 'string' && namespace !== '') {
      report.warning(['metadata', 'namespace'], 'metadata/namespace', `a ${kind.kind} belongs to no namespace; this one is ignored`, {
        atKey: true,
      });
    }
    return '';
  }
  if (namespace === undefined || namespace === null || namespace === '') return defaultNamespace;
  if (typeof namespace !== 'string') {
    notAString(['metadata', 'namespace'], namespace, report);
    return asText(namespace) ?? defaultNamespace;
  }
  if (!DNS_LABEL.test(namespace)) {
    const message = `the namespace ${quote(namespace)} must be lower-case letters, digits and \`-\`, begin and end with a letter or digit, and have at most 63 characters`;
    report.error(['metadata', 'namespace'], 'metadata/namespace', message);
  }
  return namespace;
}

function readStrings(metadata: Record<string, unknown>, field: 'labels' | 'annotations', report: Report): Record<string, string> {
  const value = own(metadata, field);
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    report.error(['metadata', field], 'schema/type', `\`${field}\` must be a map, not ${describeValue(value)}`);
    return {};
  }
  let wrong = false;
  for (const [key, text] of Object.entries(value)) {
    wrong ||= typeof text !== 'string';
    const path = ['metadata', field, key];
    checkKey(path, key, report);
    if (typeof text !== 'string') notAString(path, text, report);
    else if (field === 'labels' && text !== '' && (text.length > 63 || !LABEL_NAME.test(text))) {
      const message = `the label value ${quote(text)} must be letters, digits, \`-\`, \`_\` and \`.\`, begin and end with a letter or digit, and have at most 63 characters`;
      report.error(path, 'metadata/label', message, { hint: 'Free text belongs in an annotation' });
    }
  }
  return wrong ? onlyTexts(value) : (value as Record<string, string>);
}

/** What was most likely meant, for going on: numbers and booleans as texts. Maps and lists are none. */
const asText = (value: unknown): string | undefined =>
  typeof value === 'object' || typeof value === 'undefined' ? undefined : String(value);

const onlyTexts = (map: object): Record<string, string> =>
  Object.fromEntries(Object.entries(map).flatMap(([key, value]) => (asText(value) === undefined ? [] : [[key, asText(value) as string]])));

/** A qualified name: an optional DNS prefix and `/`, then at most 63 of letters, digits, `-`, `_`, `.`. */
function checkKey(path: string[], key: string, report: Report): void {
  const slash = key.indexOf('/');
  const prefix = key.slice(0, Math.max(slash, 0));
  const name = key.slice(slash + 1);
  const prefixGood = slash === -1 || (prefix.length <= 253 && DNS_SUBDOMAIN.test(prefix.toLowerCase()));
  if (prefixGood && name.length <= 63 && LABEL_NAME.test(name)) return;
  const message = `the key ${quote(key)} must be a name of letters, digits, \`-\`, \`_\` and \`.\`, at most 63 characters, with a DNS name and \`/\` before it if need be`;
  report.error(path, 'metadata/key', message, { atKey: true });
}

function notAString(path: string[], value: unknown, report: Report): void {
  const field = path.at(-1)!;
  const written = report.writtenAt(path) ?? asText(value) ?? '';
  const bare = typeof value === 'boolean' || typeof value === 'number';
  const hint = bare
    ? `YAML reads ${written} as a ${typeof value}; quote it: "${written}"`
    : value === null
      ? 'For an empty text write ""'
      : undefined;
  report.error(path, 'schema/type', `\`${field}\` must be a string, not ${describeValue(value)}`, { hint });
}

function readTime(metadata: Record<string, unknown>, report: Report): number | undefined {
  const value = own(metadata, 'creationTimestamp');
  if (value === undefined || value === null) return undefined;
  const time = typeof value === 'string' && /^\d{4}-\d\d-\d\d[Tt]/.test(value) ? Date.parse(value) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  const message = `\`creationTimestamp\` must be a time, not ${describeValue(value)}`;
  report.error(['metadata', 'creationTimestamp'], 'metadata/time', message, { hint: 'Times are written like 2026-01-31T10:00:00Z' });
  return undefined;
}
