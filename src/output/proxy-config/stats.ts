/** Stats of Envoy's admin API: `<name>: <value>` a line. https://www.envoyproxy.io/docs/envoy/latest/operations/admin#get--stats */

export interface ProxyStat {
  name: string;
  /** Text of text readouts and histograms. */
  value: number | string;
}

/** Reads the answer of `/stats`. */
export function parseStats(text: string): ProxyStat[] {
  return text.split('\n').flatMap((line) => {
    // Names of stats may have colons; what follows the last one before the value is a space.
    const at = line.indexOf(': ');
    if (at < 1) return [];
    const value = line.slice(at + 2);
    return [{ name: line.slice(0, at), value: /^\d+$/.test(value) ? Number(value) : value.replace(/^"|"$/g, '') }];
  });
}

/** As Envoy writes them. */
export function statsText(stats: readonly ProxyStat[]): string {
  return stats.map(({ name, value }) => `${name}: ${value}`).join('\n');
}
