/** What a bug report is made of. */

/** One file of a report, before it is collected. */
export interface ReportItem {
  /** In the archive: `proxies/shop/web-6f7d9/config_dump.json`. */
  readonly path: string;
  /** In a few words, for --dry-run and the manifest. */
  readonly what: string;
  /** Rejects with why it cannot be had: the item is left out then, and nothing else. */
  collect(signal: AbortSignal): Promise<Collected>;
}

export interface Collected {
  /** JSON is redacted by its names as well as by what values look like. */
  readonly content: string | { readonly json: unknown };
  /** What should be known of it: `the last 5 MiB of more`. */
  readonly note?: string | undefined;
}

/** What is not in a report, and why. */
export interface LeftOut {
  readonly path: string;
  readonly why: string;
}

export interface ReportPlan {
  readonly items: readonly ReportItem[];
  readonly leftOut: readonly LeftOut[];
  readonly notes: readonly string[];
}

/** What of a report's sources is wanted. */
export interface ReportLimits {
  /** Bytes of each log, counted from its end. */
  readonly logBytes: number;
  /** Logs and events that are older are left out; milliseconds before now. */
  readonly sinceMs: number | undefined;
  /** Milliseconds for each question. */
  readonly timeoutMs: number;
}

/** Values as JSON. */
export const json = (value: unknown): Collected => ({ content: { json: value } });
