import type { Problem } from '../../errors.ts';
import type { TextFile } from '../text-file.ts';

/** Texts of a configuration, in a fixed order, and what could not be read. */
export interface SourceTexts {
  readonly files: readonly TextFile[];
  readonly problems: readonly Problem[];
}

/** Where a configuration comes from: files and folders now; whoever adds another implements this. `read` may be called again and again. */
export interface ConfigSource {
  /** For messages: `./mesh`. */
  readonly name: string;
  /** Never rejects for what it finds: unreadable parts are problems. */
  read(): Promise<SourceTexts>;
}
