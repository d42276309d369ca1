/** What an analyzer finds, before it is put into words. */
import type { FieldPath, Position, Resource } from '../config/resource.ts';

/** istioctl's levels, most severe first. */
export const LEVELS = ['Error', 'Warning', 'Info'] as const;
export type Level = (typeof LEVELS)[number];

/** Arguments of a message by name; lists are joined by `, ` in texts. */
export type Arguments = Readonly<Record<string, string | number | readonly (string | number)[]>>;

/** Another place that has to do with a finding, such as the other VirtualService of a conflict. */
export interface RelatedPlace {
  readonly resource: Resource;
  readonly at: FieldPath;
  /** What is there, in a few words. */
  readonly note: string;
}

/** A change of fields that makes a finding go away and keeps what is meant; only where that is beyond doubt. */
export interface Fix {
  /** `Write X-User as x-user`: what it does, in a few words. */
  readonly title: string;
  readonly edits: readonly FixEdit[];
}

/** One field that a fix sets (undefined takes it out), or whose key it writes in another way. */
export type FixEdit = { readonly resource: Resource; readonly path: FieldPath } & ({ readonly value: unknown } | { readonly key: string });

/** One finding of an analyzer. Positions are looked up when it is shown, not before. */
export interface RawFinding {
  readonly code: string;
  readonly resource: Resource;
  readonly at: FieldPath;
  /** The position is that of the key at `at`, not of its value. */
  readonly atKey?: boolean;
  readonly args: Arguments;
  readonly related?: readonly RelatedPlace[];
  readonly fix?: Fix;
}

/** Where analyzers put what they find. */
export type ReportFinding = (
  code: string,
  resource: Resource,
  at: FieldPath,
  args?: Arguments,
  more?: { related?: readonly RelatedPlace[]; atKey?: boolean; fix?: Fix },
) => void;

/** A finding as it is shown and given to programs. */
export interface Finding {
  readonly code: string;
  readonly name: string;
  readonly level: Level;
  /** One sentence without a final full stop. */
  readonly message: string;
  /** What to do next. */
  readonly hint?: string;
  /** `VirtualService default/payments`; `File mesh/a.yaml` when no object could be read. */
  readonly origin: string;
  readonly kind: string;
  readonly namespace: string;
  readonly resourceName: string;
  readonly position: Position | undefined;
  /** The field, as `spec.http[0].route[1].weight`; empty for whole files. */
  readonly path: string;
  readonly args: Arguments;
  readonly related: readonly { origin: string; note: string; position: Position; path: string }[];
  /** Stays the same when lines move, entries are inserted before it, or the file is renamed. 16 hexadecimal digits. */
  readonly fingerprint: string;
  readonly documentationUrl: string;
  /** What `--fix` does about it; absent where a person has to decide. */
  readonly fix?: Fix;
}
