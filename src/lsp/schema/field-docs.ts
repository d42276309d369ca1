import type { Schema } from './schema-at.ts';

/** A schema's type in a few words: `string`, `duration`, `list of objects`, `one of A, B`. */
export function typeText(schema: Schema): string {
  if (schema.enum !== undefined) return `one of ${schema.enum.join(', ')}`;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeText).join(' or ');
  if (schema.format === 'duration') return 'duration, such as 1.5s';
  if (schema.type === 'array') return `list of ${plural(schema.items === undefined ? 'value' : typeText(schema.items))}`;
  if (schema.type === 'object') return schema.properties === undefined ? 'map' : 'object';
  return schema.type ?? 'any value';
}

function plural(type: string): string {
  if (type.startsWith('one of ') || type.startsWith('duration')) return type;
  return type === 'any value' ? 'values' : type === 'map' || type === 'object' || /^\w+$/.test(type) ? `${type}s` : type;
}

/** What is to be known of a field, in Markdown: type, description, default, range, what it excludes, deprecation. */
export function fieldDocs(name: string, schema: Schema, parent: Schema | undefined): string {
  const isRequired = parent?.required?.includes(name) === true;
  const lines = [`**${name}** — ${typeText(schema)}${isRequired ? ', required' : ''}`];
  if (schema.deprecated === true) lines.push('_Deprecated._');
  if (schema.description !== undefined) lines.push(schema.description);
  if (schema.default !== undefined) lines.push(`Default: \`${JSON.stringify(schema.default)}\``);
  const { minimum, maximum } = schema;
  if (maximum !== undefined && maximum < 2147483647) lines.push(`From ${minimum ?? 'any'} to ${maximum}.`);
  const others = (parent?.['x-oneof'] ?? []).filter((group) => group.includes(name)).flat();
  const excluded = [...new Set(others)].filter((other) => other !== name);
  if (excluded.length > 0) lines.push(`Not together with ${excluded.map((other) => `\`${other}\``).join(', ')}.`);
  const old = schema['x-deprecated-values'];
  if (old !== undefined && old.length > 0) lines.push(`Deprecated: ${old.map((value) => `\`${value}\``).join(', ')}.`);
  return lines.join('\n\n');
}
