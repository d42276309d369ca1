/** A stat's name without its tags, and the tags. */
export interface TaggedName {
  name: string;
  tags: readonly (readonly [name: string, value: string])[];
}

/**
 * The tags that Istio's bootstrap has Envoy extract, in its order. The first group is cut out of the name, the second one (or
 * the first, when there is one only) is the value.
 */
const EXTRACTORS: readonly (readonly [tag: string, pattern: RegExp])[] = [
  ['cluster_name', /^cluster(\.(.+);)/],
  ['http_conn_manager_prefix', /^http\.(((?:[_.\d\w]*|[_[\]aAbBcCdDeEfF\d\w:]*));\.)/],
  ['thread_name', /^server(\.(.+))\.watchdog/],
  ['tcp_prefix', /^tcp\.((.*?)\.)\w+?$/],
  ['response_code', /_rq(_(\d{3}))$/],
  ['response_code_class', /_rq(_(\dxx))$/],
  ['http_conn_manager_listener_prefix', /^listener(?=\.).*?\.http\.(((?:[_.\d]*|[_[\]aAbBcCdDeEfF\d]*))\.)/],
  ['listener_address', /^listener\.(((?:[_.\d]*|[_[\]aAbBcCdDeEfF\d]*))\.)/],
];

const cache = new Map<string, TaggedName>();
/** Names come and go with the configuration; the cache starts anew when it has outgrown any one of them. */
const CACHE_LIMIT = 200_000;

/** Splits a stat's name into name and tags. Every pattern sees the whole name. */
export function extractTags(name: string): TaggedName {
  const known = cache.get(name);
  if (known !== undefined) return known;
  const tags: [string, string][] = [];
  const cuts: [from: number, to: number][] = [];
  for (const [tag, pattern] of EXTRACTORS) {
    const found = pattern.exec(name);
    if (found?.[1] === undefined) continue;
    const from = name.indexOf(found[1], found.index + (pattern.source.startsWith('_rq') ? 3 : 0));
    tags.push([tag, found[2] ?? found[1]]);
    cuts.push([from, from + found[1].length]);
  }
  let rest = name;
  for (const [from, to] of cuts.sort((a, b) => b[0] - a[0])) rest = rest.slice(0, from) + rest.slice(to);
  const tagged = { name: rest, tags };
  if (cache.size >= CACHE_LIMIT) cache.clear();
  cache.set(name, tagged);
  return tagged;
}
