import { re2 } from '../../../src/re2.ts';

/** What `/stats` and its formats may be asked for. */
export interface StatsFilter {
  /** RE2; a part of the name has to match. */
  filter?: string | undefined;
  /** Only stats that were ever written. */
  usedOnly?: boolean | undefined;
}

/** A test for names; for a pattern that is none, what Envoy says of it. */
export function nameFilter(filter: string | undefined): ((name: string) => boolean) | { error: string } {
  if (filter === undefined || filter === '') return () => true;
  try {
    const pattern = re2().RE2JS.compile(filter);
    return (name) => pattern.matcher(name).find();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { error: `Invalid re2 regex: ${why.replace(/^error parsing regexp: /, '')}\n` };
  }
}
