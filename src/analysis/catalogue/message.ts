import type { Arguments, Level } from '../finding.ts';

/** What a finding says and means. One declaration gives the text, the documentation, `analyze --code` and the tests. */
export interface Message {
  /** Stable for ever; IST ones are Istio's. */
  readonly code: string;
  readonly name: string;
  readonly level: Level;
  /** Names and types: `refval: string`. */
  readonly args: readonly string[];
  /** `{refval}` stands for an argument. */
  readonly template: string;
  /** In place of the template, where one sentence does not do for all arguments. */
  readonly text?: (args: Arguments) => string;
  /** One sentence. */
  readonly summary: string;
  /** What goes wrong at run time. */
  readonly effect: string;
  /** What to do next, shown below a finding. */
  readonly hint?: string;
  /** An input that gives the code, and one that does not. `precheck` messages have none. */
  readonly wrong?: string;
  readonly right?: string;
  /** Checks of a cluster before an installation, not of configuration. */
  readonly precheck?: true;
}
