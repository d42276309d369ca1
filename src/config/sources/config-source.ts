import type { Problem } from '../../errors.ts';
import type { SourceObject } from '../source-object.ts';
import type { TextFile } from '../text-file.ts';

/** Texts and objects of a configuration, in a fixed order, and what could not be read. */
export interface SourceTexts {
  readonly files: readonly TextFile[];
  /** Of a cluster. A file's object of the same kind and name goes before. */
  readonly objects?: readonly SourceObject[];
  readonly problems: readonly Problem[];
}

/** Where a configuration comes from: files and folders, a revision of a repository, a cluster. `read` may be called again and again. */
export interface ConfigSource {
  /** For messages: `./mesh`. */
  readonly name: string;
  /** Never rejects for what it finds: unreadable parts are problems. */
  read(): Promise<SourceTexts>;
}
