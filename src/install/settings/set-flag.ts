/** `--set a.b=c`: one field of the settings, with the type that the field has. */
import { type SchemaNode, schemaNode } from '../../config/validation/schema-node.ts';
import { parseDocument } from '../../config/yaml/parse-document.ts';
import { FairleadError } from '../../errors.ts';
import { settingsSchema } from './schema.ts';

/** One `--set` as a layer of settings: `gateways.web.replicas.max=3` is `{gateways: {web: {replicas: {max: 3}}}}`. Throws E_USAGE. */
export function settingOf(typed: string): Record<string, unknown> {
  const cut = typed.indexOf('=');
  const path = cut > 0 ? segmentsOf(typed.slice(0, cut)) : [];
  if (path.length === 0 || path.includes(''))
    throw new FairleadError('E_USAGE', `--set ${JSON.stringify(typed)} is not FIELD=VALUE`, {
      next: 'Name the field with dots between its levels: --set gateways.ingressgateway.replicas.max=3.',
    });
  let node: SchemaNode | undefined = schemaNode(settingsSchema);
  for (const name of path) node = node?.properties.get(name) ?? node?.values;
  const text = typed.slice(cut + 1);
  const value = node?.type === 'string' && text !== 'null' ? text : parsed(text, typed);
  return path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as Record<string, unknown>;
}

/** Dots part levels; a name that has dots itself is written with `\.`. */
function segmentsOf(path: string): string[] {
  return path.split(/(?<!\\)\./).map((part) => part.replaceAll('\\.', '.'));
}

/** YAML of one line: `3`, `true`, `[a, b]`, `{name: http, port: 80}`. */
function parsed(text: string, typed: string): unknown {
  const outcome = parseDocument(text);
  if (outcome.ok) return outcome.value;
  throw new FairleadError('E_USAGE', `the value of --set ${JSON.stringify(typed)} cannot be read: ${outcome.failure.reason}`, {
    next: 'Values are YAML: 3, true, text, [a, b] or {name: http, port: 80}.',
  });
}
