/** Finds hosts that overlap with a host, wildcards on either side, without comparing all pairs. */
export interface SuffixSearch {
  /** Those of the given hosts that some request could match together with `host`; `*` stands for any text, dots too. */
  overlapping(host: string): string[];
}

const reverse = (text: string): string => [...text].reverse().join('');

/** An index over hosts. */
export function suffixSearch(hosts: readonly string[]): SuffixSearch {
  const exact = new Set(hosts);
  const wildcards = new Map<string, string>();
  for (const host of hosts) if (host.startsWith('*')) wildcards.set(host.slice(1), host);
  /** Reversed, without the `*`, so that a common suffix is a common prefix. */
  const sorted = hosts.map((host) => ({ key: reverse(host.startsWith('*') ? host.slice(1) : host), host }));
  sorted.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const endingWith = (suffix: string): string[] => {
    const prefix = reverse(suffix);
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle]!.key < prefix) low = middle + 1;
      else high = middle;
    }
    const found: string[] = [];
    while (low < sorted.length && sorted[low]!.key.startsWith(prefix)) found.push(sorted[low++]!.host);
    return found;
  };
  return {
    overlapping(host) {
      const found = new Set<string>(exact.has(host) ? [host] : []);
      const rest = host.startsWith('*') ? host.slice(1) : host;
      if (host.startsWith('*')) for (const other of endingWith(rest)) found.add(other);
      for (let at = 0; wildcards.size > 0 && at <= rest.length; at++) {
        const other = wildcards.get(rest.slice(at));
        if (other !== undefined) found.add(other);
      }
      return [...found];
    },
  };
}
