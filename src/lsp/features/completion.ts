import {
  type CompletionItem,
  CompletionItemKind,
  CompletionItemTag,
  type CompletionList,
  InsertTextMode,
  type Position,
} from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { Kind } from '../../config/kinds/kind.ts';
import { kindOf, namespaceOf } from '../cursor.ts';
import { nameCandidates } from '../names/candidates.ts';
import { roleOf } from '../names/reference-fields.ts';
import { textAt } from '../outline/document.ts';
import { fieldDocs, typeText } from '../schema/field-docs.ts';
import { fieldsOf, type Schema, schemaAt, valuesOf } from '../schema/schema-at.ts';
import type { View } from '../view.ts';
import { type CompletionContext, completionContext } from './completion-context.ts';
import { annotationCandidates, apiVersionCandidates, type Candidate, kindCandidates, rootCandidates } from './object-candidates.ts';

/** What the editor can do, and where objects are that name no namespace. */
export interface CompletionOptions {
  readonly namespace: string;
  /** Texts of several lines are taken as they are. */
  readonly multiline: boolean;
}

/** Shown at once; with more the editor asks again as more is typed. */
const MOST_ITEMS = 300;

/** What can be written at `position`: fields, values, kinds, and names of services, subsets, gateways and the like. */
export function complete(document: TextDocument, position: Position, view: View, options: CompletionOptions): CompletionList {
  const context = completionContext(document, position);
  const candidates = context === undefined ? [] : candidatesAt(context, view, options);
  if (context === undefined || candidates.length === 0) return { isIncomplete: false, items: [] };
  const typed = context.partial.toLowerCase();
  const matching = candidates.length <= MOST_ITEMS ? candidates : candidates.filter(({ label }) => label.toLowerCase().includes(typed));
  const items = matching.slice(0, MOST_ITEMS).map((candidate, i) => itemOf(candidate, i, context));
  return { isIncomplete: matching.length > MOST_ITEMS || matching.length < candidates.length, items };
}

function candidatesAt(context: CompletionContext, view: View, options: CompletionOptions): Candidate[] {
  const { wants, path, object } = context;
  const kind = kindOf(object);
  if (wants === 'value' && path.length === 1 && path[0] === 'apiVersion') return apiVersionCandidates(object.kind);
  if (wants === 'value' && path.length === 1 && path[0] === 'kind') return kindCandidates(object.apiVersion);
  if (kind === undefined) return wants === 'key' && path.length === 0 ? rootCandidates(context, options.multiline) : [];
  const schema = schemaAt(kind, path);
  if (schema === undefined) return [];
  if (wants === 'value' && !isCollection(schema)) return valueCandidates(context, kind, schema, view, options);
  return collectionCandidates(context, kind, schema, view, options);
}

const isCollection = (schema: Schema): boolean => schema.type === 'object' || schema.type === 'array';

/** What can begin inside a map or a list, or where only a single value can stand. */
function collectionCandidates(context: CompletionContext, kind: Kind, schema: Schema, view: View, options: CompletionOptions): Candidate[] {
  const { path, wants, flow } = context;
  if (path.at(-1) === 'annotations' && path.at(-2) === 'metadata') return annotationCandidates(kind.kind, context.siblings);
  if (schema.type === 'array' && schema.items !== undefined) {
    const inside = { ...context, path: [...path, 0] };
    const items = isCollection(schema.items)
      ? fieldCandidates({ ...inside, column: context.column + 2 }, schema.items, options)
      : valueCandidates(inside, kind, schema.items, view, options);
    // Behind the key, on its line, only brackets begin a list.
    if (flow) return [];
    if (wants === 'value')
      return isCollection(schema.items) ? [] : items.map((item) => ({ ...item, insert: `[${item.insert ?? item.label}]` }));
    return items.map((item) => ({ ...item, insert: `- ${item.insert ?? item.label}` }));
  }
  if (!isCollection(schema)) return valueCandidates(context, kind, schema, view, options);
  return wants === 'value' && !flow ? [] : fieldCandidates(context, schema, options);
}

function fieldCandidates(context: CompletionContext, schema: Schema, options: CompletionOptions): Candidate[] {
  const required = new Set(schema.required ?? []);
  const excluded = new Set((schema['x-oneof'] ?? []).filter((group) => group.some((name) => context.siblings.includes(name))).flat());
  const fields = Object.entries(fieldsOf(schema)).filter(([name]) => !context.siblings.includes(name) && name !== 'status');
  const rank = (name: string, field: Schema): number => (required.has(name) ? 0 : field.deprecated ? 3 : excluded.has(name) ? 2 : 1);
  return fields
    .sort(([a, x], [b, y]) => rank(a, x) - rank(b, y))
    .map(([name, field]) => ({
      label: name,
      kind: field.type === 'object' || field.type === 'array' ? CompletionItemKind.Module : CompletionItemKind.Field,
      detail: `${typeText(field)}${required.has(name) ? ', required' : ''}`,
      docs: fieldDocs(name, field, schema),
      deprecated: field.deprecated === true,
      insert: context.hasColon ? name : `${name}:${afterKey(field, context, options)}`,
    }));
}

/** What follows a key: the start of its list or map on lines of their own, where the editor leaves them as they are. */
function afterKey(field: Schema, { column, flow }: CompletionContext, { multiline }: CompletionOptions): string {
  const isList = field.type === 'array';
  const isMap = field.type === 'object';
  if (flow || (!isList && !isMap)) return ' ';
  if (!multiline) return '';
  const indent = ' '.repeat(column + 2);
  return isList ? `\n${indent}- ` : `\n${indent}`;
}

function valueCandidates(context: CompletionContext, kind: Kind, schema: Schema, view: View, options: CompletionOptions): Candidate[] {
  const { object, path } = context;
  const role = roleOf(kind.group, kind.kind, path);
  if (role !== undefined) {
    const names = nameCandidates(view.index, {
      role,
      path,
      namespace: namespaceOf(object, kind, options.namespace),
      textAt: (at) => textAt(object.root, at),
    });
    return names.map(({ name, detail }) => ({
      label: name,
      kind: CompletionItemKind.Reference,
      detail,
      insert: scalarText(name, context),
    }));
  }
  const old = new Set(schema['x-deprecated-values'] ?? []);
  return valuesOf(schema).map((value) => ({
    label: String(value),
    kind: schema.type === 'boolean' ? CompletionItemKind.Value : CompletionItemKind.EnumMember,
    docs: schema.description,
    deprecated: old.has(value),
    insert: scalarText(String(value), context, schema.type !== 'boolean'),
  }));
}

/** A name as YAML has it: `*` and words that would be no texts in quotes. */
function scalarText(text: string, { quoted }: CompletionContext, isText = true): string {
  return !quoted && isText && /^[*.]|^(?:on|off|yes|no|true|false|null|y|n)$/i.test(text) && text !== '.svc' ? `"${text}"` : text;
}

function itemOf(candidate: Candidate, index: number, { range, partial }: CompletionContext): CompletionItem {
  const { label, kind, detail, docs, deprecated, insert = label } = candidate;
  return {
    label,
    kind,
    ...(detail === undefined ? {} : { detail }),
    ...(docs === undefined ? {} : { documentation: { kind: 'markdown' as const, value: docs } }),
    ...(deprecated === true ? { tags: [CompletionItemTag.Deprecated] } : {}),
    sortText: String(index).padStart(5, '0'),
    // What is replaced is typed text: editors filter by it.
    filterText: partial.startsWith('*') && !label.startsWith('*') ? partial + label : label,
    textEdit: { range, newText: insert },
    ...(insert.includes('\n') ? { insertTextMode: InsertTextMode.asIs } : {}),
  };
}
