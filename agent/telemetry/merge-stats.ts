/** The stats of several proxies in Prometheus' text format, put together so that each family is written once. */

interface Merged {
  type: string;
  lines: string[];
}

/** A line's name, its labels without braces, and the rest. */
const SAMPLE = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+(?: \d+)?)$/;
/** What the samples of histograms and summaries add to their family's name. */
const SUFFIX = /_(?:bucket|sum|count)$/;

/** Takes proxies' stats one after the other; `text` gives all of it. */
export function createStatsMerger(): { add(labels: string, text: string): void; text(): string } {
  const families = new Map<string, Merged>();
  const family = (name: string, type: string): Merged => {
    let found = families.get(name);
    if (found === undefined) {
      found = { type, lines: [] };
      families.set(name, found);
    }
    return found;
  };
  return {
    /** @param labels `proxy="web.default"`: put before each sample's own */
    add(labels, text) {
      const typed = new Set<string>();
      for (const line of text.split('\n')) {
        const type = /^# TYPE (\S+) (\S+)$/.exec(line);
        if (type) {
          typed.add(type[1]!);
          family(type[1]!, type[2]!);
          continue;
        }
        const sample = SAMPLE.exec(line);
        if (sample === null) continue;
        const [, name = '', own = '', value = ''] = sample;
        const base = name.replace(SUFFIX, '');
        const of = typed.has(name) ? name : typed.has(base) ? base : name;
        family(of, 'untyped').lines.push(`${name}{${labels}${own === '' ? '' : `,${own}`}} ${value}\n`);
      }
    },
    text() {
      const parts: string[] = [];
      for (const name of [...families.keys()].sort()) {
        const { type, lines } = families.get(name)!;
        if (lines.length > 0) parts.push(`# TYPE ${name} ${type}\n`, ...lines);
      }
      return parts.join('');
    },
  };
}
