/** YAML in, the same YAML with sidecars out: comments and layout of everything else stay. */
import { documentSource } from '../../config/document-source.ts';
import { type FieldPath, formatPath } from '../../config/resource.ts';
import type { TextFile } from '../../config/text-file.ts';
import { parseDocument } from '../../config/yaml/parse-document.ts';
import { splitDocuments } from '../../config/yaml/split-documents.ts';
import { syntaxProblems } from '../../config/yaml/syntax-problems.ts';
import { editDocument } from '../../edit/edit-document.ts';
import { isMapValue } from '../../edit/equal.ts';
import { renderDocument } from '../../edit/render.ts';
import type { Problem } from '../../errors.ts';
import { isStrict } from './choose-agent.ts';
import { injectPod } from './inject-pod.ts';
import { INJECT, INJECTION } from './names.ts';
import { labelsOfPod, type Meta, type PodJson, templatePath } from './pod.ts';
import type { InjectSettings } from './settings.ts';

/** What became of one object that has a pod. */
export interface InjectedObject {
  kind: string;
  namespace: string;
  name: string;
  injected: boolean;
  /** Why not. */
  why?: string;
  /** What its author should know. */
  notes: readonly string[];
  file: string;
  line: number;
}

export interface InjectedText {
  /** All of the file, also when nothing was injected. */
  text: string;
  objects: readonly InjectedObject[];
  /** Texts that cannot be read, pods that were to be injected and cannot be, and what their authors should know. */
  problems: readonly Problem[];
}

type Item = Record<string, unknown>;

/**
 * @param namespace of objects that say none
 * @param strict namespaces that are known to forbid folders of the node, besides those of the file
 */
export async function injectText(
  file: TextFile,
  namespace: string,
  settings: InjectSettings,
  strict: ReadonlySet<string> = new Set(),
): Promise<InjectedText> {
  const problems: Problem[] = [];
  const objects: InjectedObject[] = [];
  const documents: { range: { start: number; end: number }; index: number; value: unknown }[] = [];
  for (const [index, range] of splitDocuments(file.text).entries()) {
    const read = parseDocument(file.text.slice(range.start, range.end));
    if (!read.ok) problems.push(...(await syntaxProblems(file, range, read.failure)));
    else documents.push({ range, index, value: read.value });
  }
  const values = documents.map(({ value }) => value);
  const closed = namespacesWith(values, (labels) => labels[INJECTION] === 'disabled');
  const how = { namespace, settings, closed, strict: new Set([...strict, ...namespacesWith(values, isStrict)]) };
  let text = '';
  let at = 0;
  for (const { range, index, value } of documents) {
    const source = documentSource(file, range, index);
    const done = injectValue(value, [], how, (object, path, outcome) => {
      const position = source.positionOf(path);
      const { kind, metadata } = object as { kind: string; metadata?: Meta };
      const remarks = outcome.injected ? outcome.notes : [];
      const inPod = templatePath(object['apiVersion'], kind) ?? [];
      const named = { kind, namespace: metadata?.namespace || namespace, name: metadata?.name ?? metadata?.generateName ?? '' };
      objects.push({
        ...named,
        injected: outcome.injected,
        ...(outcome.injected ? {} : { why: outcome.why }),
        notes: remarks.map(({ text }) => text),
        file: position.file,
        line: position.line,
      });
      const say = (severity: Problem['severity'], message: string, at: FieldPath): void => {
        const field = [...path, ...(at.length === 0 ? [] : inPod), ...at];
        problems.push({
          severity,
          rule: 'inject/pod',
          message,
          position: source.positionOf(field),
          origin: `${kind} ${named.namespace}/${named.name}`,
          ...(field.length === 0 ? {} : { path: formatPath(field) }),
        });
      };
      if (!outcome.injected && outcome.wrong) say('error', `it gets no sidecar: ${outcome.why}`, outcome.at);
      for (const { text, at } of remarks) say('warning', text, at);
    });
    const before = file.text.slice(range.start, range.end);
    text += file.text.slice(at, range.start) + (done === value ? before : rewritten(before, done));
    at = range.end;
  }
  return { text: text + file.text.slice(at), objects, problems };
}

/** JSON stays JSON. What cannot be edited in its place, for its anchors, is written anew, without its comments. */
function rewritten(before: string, value: unknown): string {
  if (isJson(before)) return `${JSON.stringify(value, undefined, before.trim().includes('\n') ? 2 : undefined)}\n`;
  const edited = editDocument(before, value);
  if (edited.ok) return edited.text;
  return `${before.startsWith('---') ? '---\n' : ''}${renderDocument(value as object)}`;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

interface How {
  namespace: string;
  settings: InjectSettings;
  closed: ReadonlySet<string>;
  strict: ReadonlySet<string>;
}

type Tell = (object: Item, path: FieldPath, outcome: ReturnType<typeof injectPod>) => void;

/** The same value when nothing in it is injected. */
function injectValue(value: unknown, path: FieldPath, how: How, tell: Tell): unknown {
  if (!isMapValue(value)) return value;
  const { kind, items } = value;
  if (typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items)) {
    const of = kind.slice(0, -'List'.length);
    const changed = items.map((item: unknown, i) => {
      const whole = of !== '' && isMapValue(item) ? { apiVersion: value['apiVersion'], kind: of, ...item } : item;
      const done = injectValue(whole, [...path, 'items', i], how, tell);
      return done === whole ? item : done;
    });
    return changed.some((item, i) => item !== items[i]) ? { ...value, items: changed } : value;
  }
  const way = templatePath(value['apiVersion'], kind);
  if (way === undefined) return value;
  const pod = way.reduce<unknown>((at, key) => (isMapValue(at) ? at[key] : undefined), value);
  if (!isMapValue(pod) || !isMapValue(pod['spec'])) return value;
  const outcome = injectOne(pod, (value['metadata'] as Meta | undefined)?.namespace || how.namespace, how);
  tell(value, path, outcome);
  return outcome.injected ? put(value, way, outcome.pod) : value;
}

function injectOne(pod: PodJson, namespace: string, { settings, closed, strict }: How): ReturnType<typeof injectPod> {
  if (closed.has(namespace) && labelsOfPod(pod)[INJECT] !== 'true')
    return { injected: false, why: `the namespace ${namespace} has ${INJECTION}=disabled`, wrong: false, at: [] };
  return injectPod(pod, { namespace, strict: strict.has(namespace) }, settings);
}

function put(value: Item, [key, ...rest]: readonly string[], to: unknown): Item {
  if (key === undefined) return to as Item;
  return { ...value, [key]: put((value[key] ?? {}) as Item, rest, to) };
}

/** Namespaces of the same input whose labels are such. */
function namespacesWith(values: readonly unknown[], such: (labels: Record<string, string>) => boolean): ReadonlySet<string> {
  const all = values.flatMap((value) => (isMapValue(value) && Array.isArray(value['items']) ? (value['items'] as unknown[]) : [value]));
  return new Set(
    all.flatMap((value) => {
      if (!isMapValue(value) || value['kind'] !== 'Namespace') return [];
      const { name, labels } = (value['metadata'] ?? {}) as Meta;
      return name !== undefined && such(labels ?? {}) ? [name] : [];
    }),
  );
}
