import type { SchemaNode } from './schema-node.ts';

/**
 * A copy of a value that has the types of its schema, for those who take them for granted: what is of a wrong type is left out, and what
 * is required and missing is there, empty. Entries of lists keep their places. What is right already is shared, not copied.
 */
export function conform(node: SchemaNode, value: unknown): unknown {
  switch (node.type) {
    case 'object':
      return conformObject(node, isMap(value) ? value : {});
    case 'array':
      return Array.isArray(value) ? (node.items === undefined ? value : value.map((item) => conform(node.items!, item))) : [];
    case 'string':
      return typeof value === 'string' ? value : '';
    case 'integer':
      return Number.isInteger(value) ? value : 0;
    case 'number':
      return Number.isFinite(value) ? value : 0;
    case 'boolean':
      return value === true;
    case 'union':
      return node.alternatives.some((alternative) => fits(alternative, value)) ? value : conform(node.alternatives[0]!, value);
    default:
      return value ?? {};
  }
}

const isMap = (value: unknown): value is Record<string, unknown> => value !== null && typeof value === 'object' && !Array.isArray(value);

function conformObject(node: SchemaNode, value: Record<string, unknown>): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  const put = (key: string, child: unknown): void => {
    Object.defineProperty(result, key, { value: child, enumerable: true, configurable: true, writable: true });
  };
  for (const key of Object.keys(value)) {
    const field = node.properties.get(key) ?? node.values;
    if (field === undefined) put(key, value[key]);
    else if (fits(field, value[key])) put(key, conform(field, value[key]));
  }
  for (const name of node.required) {
    const field = node.properties.get(name);
    if (field !== undefined && !Object.hasOwn(result, name)) put(name, conform(field, undefined));
  }
  return result;
}

function fits(node: SchemaNode, value: unknown): boolean {
  switch (node.type) {
    case 'object':
      return isMap(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    case 'number':
      return Number.isFinite(value);
    case 'union':
      return node.alternatives.some((alternative) => fits(alternative, value));
    case 'any':
      return value !== null;
    default:
      return typeof value === node.type;
  }
}
