import { kindIndex } from '../config/kind-index.ts';
import { kinds } from '../config/kinds/registry.ts';
import type { TextFile } from '../config/text-file.ts';
import { outlineDocuments } from './outline/document.ts';
import type { OutlineNode } from './outline/outline.ts';

/** What a file is to a mesh: a workspace has many YAML and JSON files that are none of its configuration. */
export type FileSort =
  /** Holds an object of a kind that a mesh reads, or one that was meant to be. */
  | 'objects'
  /** The same, and an object of Istio's or of the Gateway API. */
  | 'mesh'
  /** Is made into such objects by a tool first: a Helm template. */
  | 'template'
  | 'other';

const known = new WeakMap<TextFile, FileSort>();
const index = kindIndex(kinds);

/** What a file is, by what its lines say; a file that no parser can read is judged too. */
export function fileSort(file: TextFile): FileSort {
  let sort = known.get(file);
  if (sort === undefined) {
    sort = sortOf(file.text);
    known.set(file, sort);
  }
  return sort;
}

const FIELD = /^[ \t]*(?:-[ \t]+)?(?:["']?)(apiVersion|kind)["']?[ \t]*:[ \t]*["']?([A-Za-z][\w./-]*)/gm;
/** JSON may have it all on one line. */
const JSON_FIELD = /"(apiVersion|kind)"\s*:\s*"([^"\s]+)"/g;
const MESH_GROUP = /(?:^|\.)istio\.io\/|^gateway\.networking\.k8s\.io\//;

function sortOf(text: string): FileSort {
  if (!text.includes('apiVersion')) return 'other';
  let sort: FileSort = 'other';
  for (const [apiVersion, kind] of pairs(text)) {
    if (MESH_GROUP.test(apiVersion) && (kind === undefined || index.match(apiVersion, kind).type !== 'foreign')) {
      sort = 'mesh';
      break;
    }
    if (kind !== undefined && index.match(apiVersion, kind).type === 'known') sort = 'objects';
  }
  return sort !== 'other' && text.includes('{{') && isTemplate(text) ? 'template' : sort;
}

/** Each apiVersion with the kind beside it. */
function* pairs(text: string): Generator<[string, string | undefined]> {
  let apiVersion: string | undefined;
  let kind: string | undefined;
  const isJson = /^\s*[{[]/.test(text.slice(0, 1000));
  for (const [, name, value] of text.matchAll(isJson ? JSON_FIELD : FIELD)) {
    if (name === 'apiVersion') {
      if (apiVersion !== undefined) yield [apiVersion, kind];
      if (apiVersion !== undefined) kind = undefined;
      apiVersion = value;
    } else if (apiVersion === undefined || kind === undefined) kind = value;
    if (apiVersion !== undefined && kind !== undefined) {
      yield [apiVersion, kind];
      apiVersion = kind = undefined;
    }
  }
  if (apiVersion !== undefined) yield [apiVersion, kind];
}

/** An action outside the text of blocks and comments: `{{` begins nothing else that a person would write. */
function isTemplate(text: string): boolean {
  const blocks: [number, number][] = [];
  for (const { root } of outlineDocuments(text)) collectBlocks(root, blocks);
  for (let at = text.indexOf('{{'); at !== -1; at = text.indexOf('{{', at + 2)) {
    if (blocks.some(([start, end]) => start <= at && at < end)) continue;
    const line = text.slice(text.lastIndexOf('\n', at) + 1, at);
    if (!/^\s*#|\s#/.test(line)) return true;
  }
  return false;
}

function collectBlocks(node: OutlineNode | undefined, blocks: [number, number][]): void {
  if (node === undefined) return;
  if (node.type === 'scalar') {
    if (node.style === 'block') blocks.push([node.start, node.end]);
  } else if (node.type === 'list') for (const item of node.items) collectBlocks(item.value, blocks);
  else for (const entry of node.entries) collectBlocks(entry.value, blocks);
}
