import { CompletionItemKind } from 'vscode-languageserver';
import { KNOWN_ANNOTATIONS } from '../../analysis/model/known-annotations.ts';
import type { Kind } from '../../config/kinds/kind.ts';
import { kinds } from '../../config/kinds/registry.ts';
import type { CompletionContext } from './completion-context.ts';

/** Something that can be written. */
export interface Candidate {
  readonly label: string;
  readonly kind: CompletionItemKind;
  readonly detail?: string | undefined;
  /** Markdown. */
  readonly docs?: string | undefined;
  readonly deprecated?: boolean;
  /** In place of the label. */
  readonly insert?: string;
}

const apiVersionsOf = (kind: Kind): string[] => kind.versions.map((version) => (kind.group === '' ? version : `${kind.group}/${version}`));

/** Every apiVersion, preferred versions first; of one kind when that is written already. */
export function apiVersionCandidates(name: string | undefined): Candidate[] {
  const named = kinds.filter(({ kind }) => kind === name);
  const versions = (named.length > 0 ? named : kinds).map(apiVersionsOf);
  const longest = Math.max(...versions.map((list) => list.length));
  const ordered = Array.from({ length: longest }, (_, i) => versions.flatMap((list) => list.slice(i, i + 1))).flat();
  return [...new Set(ordered)].map((label) => ({ label, kind: CompletionItemKind.Module }));
}

/** Every kind; of one apiVersion when that is written already. */
export function kindCandidates(apiVersion: string | undefined): Candidate[] {
  const served = kinds.filter((kind) => apiVersion !== undefined && apiVersionsOf(kind).includes(apiVersion));
  return (served.length > 0 ? served : kinds).map(({ kind, group, description }) => ({
    label: kind,
    kind: CompletionItemKind.Class,
    detail: group === '' ? 'core' : group,
    docs: description,
  }));
}

/** How a document begins: whole objects while it is empty, then the fields that every object has. */
export function rootCandidates({ siblings }: CompletionContext, multiline: boolean): Candidate[] {
  const fields = ['apiVersion', 'kind', 'metadata'].filter((name) => !siblings.includes(name));
  const plain = fields.map((label) => ({
    label,
    kind: CompletionItemKind.Field,
    insert: label === 'metadata' ? `${label}:` : `${label}: `,
  }));
  if (siblings.length > 0 || !multiline) return plain;
  const whole = kinds.map((kind) => ({
    label: kind.kind,
    kind: CompletionItemKind.Struct,
    detail: kind.group === '' ? 'core' : kind.group,
    docs: kind.description,
    insert: `apiVersion: ${apiVersionsOf(kind)[0]}\nkind: ${kind.kind}\nmetadata:\n  name: `,
  }));
  return [...plain, ...whole];
}

/** The annotations that Istio knows for a kind. */
export function annotationCandidates(kind: string, siblings: readonly string[]): Candidate[] {
  return [...KNOWN_ANNOTATIONS]
    .filter(([name, { kinds: on }]) => !siblings.includes(name) && (on.includes('Any') || on.includes(kind)))
    .map(([label, { stage, deprecated }]) => ({
      label,
      kind: CompletionItemKind.Property,
      detail: stage,
      deprecated: deprecated === true,
      insert: `${label}: `,
    }));
}
