import type { HTTPMatchRequest, StringMatch } from '../config/kinds/networking.ts';

/** Pairs of indices of a root's and a delegate's match with what they make together; `[undefined, j]` and `[i, undefined]` when one side has none. */
export interface MergedMatch {
  match: HTTPMatchRequest;
  root: number | undefined;
  delegate: number | undefined;
}

type StringMap = Readonly<Record<string, StringMatch>> | undefined;

/** Whether what `delegate` asks for reaches outside of what `root` lets through. Regular expressions cannot be compared. */
function textConflicts(root: StringMatch | undefined, delegate: StringMatch | undefined): boolean {
  if (root === undefined || delegate === undefined) return false;
  if (root.regex || delegate.regex) return true;
  if (root.exact) return Boolean(delegate.prefix) || delegate.exact !== root.exact;
  if (root.prefix) {
    const text = delegate.prefix || delegate.exact;
    return text ? !text.startsWith(root.prefix) : true;
  }
  // Presence on the root's side.
  return true;
}

function mapConflicts(root: StringMap, delegate: StringMap): boolean {
  for (const key of Object.keys(delegate ?? {})) {
    if (root !== undefined && Object.hasOwn(root, key) && textConflicts(root[key], delegate?.[key])) return true;
  }
  return false;
}

function conflicts(root: HTTPMatchRequest, delegate: HTTPMatchRequest): boolean {
  if (textConflicts(root.uri, delegate.uri) || textConflicts(root.scheme, delegate.scheme)) return true;
  if (textConflicts(root.method, delegate.method) || textConflicts(root.authority, delegate.authority)) return true;
  if (mapConflicts(root.headers, delegate.headers) || mapConflicts(root.queryParams, delegate.queryParams)) return true;
  if (mapConflicts(root.withoutHeaders, delegate.withoutHeaders)) return true;
  if ((root.ignoreUriCase ?? false) !== (delegate.ignoreUriCase ?? false)) return true;
  if (root.port && delegate.port && root.port !== delegate.port) return true;
  if (root.sourceNamespace && delegate.sourceNamespace && root.sourceNamespace !== delegate.sourceNamespace) return true;
  const labels = delegate.sourceLabels ?? {};
  for (const [key, value] of Object.entries(root.sourceLabels ?? {})) {
    if (Object.hasOwn(labels, key) && labels[key] !== value) return true;
  }
  const gateways = root.gateways ?? [];
  return gateways.length > 0 && (delegate.gateways ?? []).some((gateway) => !gateways.includes(gateway));
}

/** The delegate's fields first; maps are united. */
function mergePair(root: HTTPMatchRequest, delegate: HTTPMatchRequest): HTTPMatchRequest {
  const merged: HTTPMatchRequest = { ...root, ...delegate };
  const name = [root.name, delegate.name].filter(Boolean).join('-');
  if (name) merged.name = name;
  if (!delegate.port && root.port) merged.port = root.port;
  if (!delegate.sourceNamespace && root.sourceNamespace) merged.sourceNamespace = root.sourceNamespace;
  if (!delegate.gateways?.length && root.gateways) merged.gateways = root.gateways;
  for (const field of ['headers', 'withoutHeaders', 'queryParams', 'sourceLabels'] as const) {
    if (root[field] && delegate[field]) Object.assign(merged, { [field]: { ...root[field], ...delegate[field] } });
  }
  return merged;
}

/**
 * The matches of a delegated route: every pair of a root's and a delegate's match that agree, the delegate's order first. undefined
 * when some match of the delegate fits in none of the root's: then the whole route is dropped.
 */
export function mergeMatches(root: readonly HTTPMatchRequest[], delegate: readonly HTTPMatchRequest[]): MergedMatch[] | undefined {
  if (root.length === 0) return delegate.map((match, index) => ({ match, root: undefined, delegate: index }));
  if (delegate.length === 0) return root.map((match, index) => ({ match, root: index, delegate: undefined }));
  const merged: MergedMatch[] = [];
  for (const [j, own] of delegate.entries()) {
    const before = merged.length;
    for (const [i, from] of root.entries()) if (!conflicts(from, own)) merged.push({ match: mergePair(from, own), root: i, delegate: j });
    if (merged.length === before) return undefined;
  }
  return merged;
}
