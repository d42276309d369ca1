import { originOf, type Position, type Resource } from '../config/resource.ts';
import type { TextFile } from '../config/text-file.ts';
import type { Finding } from './finding.ts';
import { annotatedCodes, type CommentSuppression, commentSuppressions, type FlagSuppression, SUPPRESS_ANNOTATION } from './suppressions.ts';

/** A suppression that hid nothing. */
export interface UnusedSuppression {
  /** For a message: `--suppress …`, `the annotation …` or `the comment`. */
  readonly what: string;
  readonly origin: string;
  readonly kind: string;
  readonly namespace: string;
  readonly resourceName: string;
  readonly position: Position | undefined;
}

/** Decides what is hidden, and remembers what for. */
export interface Suppressor {
  isSuppressed(finding: Omit<Finding, 'fingerprint'>): boolean;
  unused(): UnusedSuppression[];
}

/** Collects the suppressions of a configuration. */
export function createSuppressor(
  resources: readonly Resource[],
  texts: readonly TextFile[],
  flags: readonly FlagSuppression[],
): Suppressor {
  const annotated = new Map<string, { resource: Resource; codes: string[] }>();
  for (const resource of resources) {
    if (!Object.hasOwn(resource.metadata.annotations, SUPPRESS_ANNOTATION)) continue;
    const codes = annotatedCodes(resource);
    if (codes.length > 0) annotated.set(originOf(resource), { resource, codes });
  }
  const comments = new Map<string, CommentSuppression[]>();
  for (const text of texts) {
    const found = commentSuppressions(text);
    if (found.length > 0) comments.set(text.name, found);
  }
  const used = new Set<string>();
  const commentKey = (comment: CommentSuppression, code: string): string => `comment ${comment.file}:${comment.line} ${code}`;
  const first = <Item>(items: readonly Item[], keyOf: (item: Item) => string | undefined): boolean => {
    for (const item of items) {
      const key = keyOf(item);
      if (key !== undefined) used.add(key);
      if (key !== undefined) return true;
    }
    return false;
  };
  return {
    isSuppressed({ code, origin, kind, namespace, resourceName, position }) {
      const codes = annotated.get(origin)?.codes ?? [];
      if (first(codes, (own) => (own === code || own === '*' ? `annotation ${origin} ${own}` : undefined))) return true;
      if (first(flags, (flag) => (flag.code === code && flag.matches(kind, namespace, resourceName) ? `flag ${flag.written}` : undefined)))
        return true;
      if (position === undefined) return false;
      const near = (comments.get(position.file) ?? []).filter(({ from, to }) => from <= position.line && position.line <= to);
      return near.some((comment) => first(comment.codes, (own) => (own === code || own === '*' ? commentKey(comment, own) : undefined)));
    },
    unused() {
      const found: UnusedSuppression[] = [];
      for (const [origin, { resource, codes }] of annotated) {
        for (const code of codes) {
          if (used.has(`annotation ${origin} ${code}`)) continue;
          const { kind, metadata, source } = resource;
          const position = source.positionOf(['metadata', 'annotations', SUPPRESS_ANNOTATION]);
          const what = `${code} of the annotation ${SUPPRESS_ANNOTATION}`;
          found.push({ what, origin, kind, namespace: metadata.namespace, resourceName: metadata.name, position });
        }
      }
      for (const flag of flags) {
        if (used.has(`flag ${flag.written}`)) continue;
        const what = `--suppress ${JSON.stringify(flag.written)}`;
        found.push({ what, origin: 'command line', kind: '', namespace: '', resourceName: '', position: undefined });
      }
      for (const comment of [...comments.values()].flat()) {
        for (const code of comment.codes) {
          if (used.has(commentKey(comment, code))) continue;
          const { file, line, column } = comment;
          const place = { origin: `File ${file}`, kind: '', namespace: '', resourceName: '', position: { file, line, column } };
          found.push({ what: `${code} of this comment`, ...place });
        }
      }
      return found;
    },
  };
}
