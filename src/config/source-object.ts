/** Objects that come as values from an API server, not as texts. */
import type { Problem } from '../errors.ts';
import { collectObjects, type Entry } from './collect-objects.ts';
import type { TextSource } from './document-source.ts';
import type { KindIndex } from './kind-index.ts';
import type { FieldPath, HomeCluster, Position } from './resource.ts';

/** One object. It stands for the object as it was read: a changed one is another SourceObject, an unchanged one the same. */
export interface SourceObject {
  /** With apiVersion and kind. */
  readonly value: Record<string, unknown>;
  readonly source: TextSource;
  /** undefined: the only cluster, of which nothing needs to be known. */
  readonly cluster?: HomeCluster | undefined;
  /** What it was before, in case it is wrong now; forgotten when it is not. */
  before?: SourceObject | undefined;
}

interface How {
  readonly kinds: KindIndex;
  readonly namespace: string;
  readonly leaveOut: boolean;
}

const known = new WeakMap<SourceObject, readonly Entry[]>();

/**
 * What an object holds; the same entries each time.
 *
 * With `leaveOut` an object that is wrong does not make all others wait: what it was before stays in its place, else it is left out, with
 * warnings. A policy that says who may do what is never left out: its errors stay errors, because without it more would be allowed.
 */
export function entriesOfObject(object: SourceObject, how: How): { entries: readonly Entry[]; fresh: boolean } {
  const before = known.get(object);
  const own = before ?? read(object, how);
  if (before === undefined) known.set(object, own);
  const fresh = before === undefined;
  if (!own.some(isError)) {
    object.before = undefined;
    return { entries: own, fresh };
  }
  if (!how.leaveOut) return { entries: own, fresh };
  const earlier = object.before === undefined ? [] : entriesOfObject(object.before, how).entries.filter((e) => e.type === 'resource');
  if (earlier.length === 0 && isPolicy(object)) return { entries: own, fresh };
  const instead = earlier.length > 0 ? STAYS : LEFT_OUT;
  const warnings = own.flatMap((entry) =>
    entry.type === 'problem' ? [{ type: 'problem' as const, problem: softened(entry.problem, instead) }] : [],
  );
  return { entries: [...warnings, ...earlier], fresh };
}

const STAYS = 'what it was before stays';
const LEFT_OUT = 'it is left out';

/** Whether a warning says that an object is not taken as it is. */
export function isNotTaken({ message }: Problem): boolean {
  return message.endsWith(`; ${STAYS}`) || message.endsWith(`; ${LEFT_OUT}`);
}

const isError = (entry: Entry): boolean => entry.type === 'problem' && entry.problem.severity === 'error';

/** A Sidecar or a Gateway narrows what is reached, but only these say who may. */
function isPolicy({ value }: SourceObject): boolean {
  return String(value['apiVersion']).startsWith('security.istio.io/');
}

function softened(problem: Problem, instead: string): Problem {
  return problem.severity === 'warning' ? problem : { ...problem, severity: 'warning', message: `${problem.message}; ${instead}` };
}

function read({ value, source, cluster }: SourceObject, { kinds, namespace }: How): readonly Entry[] {
  const entries: Entry[] = [];
  collectObjects(value, source, { kinds, namespace, entries });
  return entries.map((entry) => {
    if (entry.type !== 'resource') return entry;
    if (cluster === undefined) return { ...entry, yields: true };
    // Objects of two clusters may have one name; files go before those of the own cluster only.
    const identity = cluster.remote ? `${cluster.id}: ${entry.identity}` : entry.identity;
    return { ...entry, identity, resource: { ...entry.resource, cluster }, yields: true };
  });
}

/** Where an object of a cluster is: `cluster/prod: VirtualService default/reviews`, without lines. A class, because there are tens of thousands. */
export class ObjectPlace implements TextSource {
  readonly document = 0;
  readonly #context: string;
  readonly #object: { kind: string; metadata: { name: string; namespace?: string } };

  constructor(context: string, object: { kind: string; metadata: { name: string; namespace?: string } }) {
    this.#context = context;
    this.#object = object;
  }

  get file(): string {
    const { kind, metadata } = this.#object;
    return `cluster/${this.#context}: ${kind} ${metadata.namespace ? `${metadata.namespace}/` : ''}${metadata.name}`;
  }

  at(): Position {
    return { file: this.file, line: 0, column: 0 };
  }

  positionOf(_path: FieldPath): Position {
    return this.at();
  }

  keyPositionOf(_path: FieldPath): Position {
    return this.at();
  }

  writtenAt(): undefined {
    return undefined;
  }

  embedded(): TextSource {
    return this;
  }

  within(): TextSource {
    return this;
  }
}
