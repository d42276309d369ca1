import { distance } from 'fastest-levenshtein';
import type { Kind } from './kinds/kind.ts';
import { nearest } from './validation/suggest.ts';

/** What an apiVersion and kind stand for. */
export type KindMatch =
  | { type: 'known'; kind: Kind; version: string }
  /** A slip: an error, with what was probably meant. */
  | { type: 'mistaken'; message: string; hint: string | undefined; at: 'apiVersion' | 'kind' }
  /** Another tool's, or one that a mesh does not read. */
  | { type: 'foreign' };

/** Finds kinds by what a document says. */
export interface KindIndex {
  match(apiVersion: string, kind: string): KindMatch;
}

const ISTIO_GROUP = /(?:^|\.)istio\.io$/;

/** An index over `kinds`. */
export function kindIndex(kinds: readonly Kind[]): KindIndex {
  const byName = new Map<string, Kind[]>();
  for (const kind of kinds) byName.set(kind.kind, [...(byName.get(kind.kind) ?? []), kind]);
  const groups = [...new Set(kinds.map((kind) => kind.group))];
  const cache = new Map<string, KindMatch>();

  const find = (apiVersion: string, name: string): KindMatch => {
    const slash = apiVersion.indexOf('/');
    const group = slash === -1 ? '' : apiVersion.slice(0, slash);
    const version = apiVersion.slice(slash + 1);
    const kind = byName.get(name)?.find((k) => k.group === group);
    if (kind !== undefined) {
      if (kind.versions.includes(version)) return { type: 'known', kind, version };
      return {
        type: 'mistaken',
        message: `${name} has no version ${JSON.stringify(version)}`,
        hint: `Use \`apiVersion: ${apiVersionOf(kind)}\`${kind.versions.length > 1 ? `; versions are ${kind.versions.join(', ')}` : ''}`,
        at: 'apiVersion',
      };
    }
    return mistaken(group, name, apiVersion) ?? { type: 'foreign' };
  };

  const mistaken = (group: string, name: string, apiVersion: string): KindMatch | undefined => {
    const ofGroup = kinds.filter((k) => k.group === group);
    const elsewhere = byName.get(name)?.find((k) => isSlip(group, k.group) || (ISTIO_GROUP.test(group) && ISTIO_GROUP.test(k.group)));
    if (elsewhere !== undefined) {
      const message = `${name} is not of ${group === '' ? `\`${apiVersion}\`` : `group ${group}`}`;
      return { type: 'mistaken', message, hint: `Use \`apiVersion: ${apiVersionOf(elsewhere)}\``, at: 'apiVersion' };
    }
    if (ofGroup.length === 0) {
      // Istio has groups that a mesh does not read, such as install.istio.io; only what looks like a slip is one.
      const nearGroup = groups.find((g) => ISTIO_GROUP.test(g) && isSlip(group, g));
      if (nearGroup === undefined) return undefined;
      return { type: 'mistaken', message: `there is no group ${group}`, hint: `Did you mean ${nearGroup}?`, at: 'apiVersion' };
    }
    if (ISTIO_GROUP.test(group)) {
      const names = ofGroup.map((k) => k.kind);
      const similar = nearest(name, names);
      const hint = similar === undefined ? `Kinds of this group are ${names.join(', ')}` : `Did you mean \`kind: ${similar}\`?`;
      return { type: 'mistaken', message: `there is no kind ${JSON.stringify(name)} in ${group}`, hint, at: 'kind' };
    }
    const near = ofGroup.find((k) => isSlip(name, k.kind));
    if (near === undefined) return undefined;
    return {
      type: 'mistaken',
      message: `there is no kind ${JSON.stringify(name)} in ${apiVersion}`,
      hint: `Did you mean \`kind: ${near.kind}\`?`,
      at: 'kind',
    };
  };

  return {
    match(apiVersion, kind) {
      const key = `${apiVersion} ${kind}`;
      let match = cache.get(key);
      if (match === undefined) {
        match = find(apiVersion, kind);
        cache.set(key, match);
      }
      return match;
    },
  };
}

/** `networking.istio.io/v1`, or `v1` for the core group. */
function apiVersionOf(kind: Kind): string {
  return kind.group === '' ? kind.versions[0]! : `${kind.group}/${kind.versions[0]}`;
}

/** One or two wrong letters: less than makes a name of its own (`Node` is no misspelt `Pod`). */
function isSlip(name: string, meant: string): boolean {
  if (name === '' || meant === '' || name === meant) return false;
  if (name.toLowerCase() === meant.toLowerCase()) return true;
  if (name.length < 5) return false;
  return editDistanceAtMost(name, meant, name.length < 12 ? 1 : 3);
}

function editDistanceAtMost(a: string, b: string, limit: number): boolean {
  return Math.abs(a.length - b.length) <= limit && distance(a, b) <= limit;
}
