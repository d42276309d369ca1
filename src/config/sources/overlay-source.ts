import { textFile } from '../text-file.ts';
import type { ConfigSource } from './config-source.ts';

/** A text in place of a file's; undefined: the file is not there. */
export interface Overlay {
  file: string;
  after: string | undefined;
}

/** A source as it would read if some files were other ones: for checking a change before it is written. */
export function overlaySource(source: ConfigSource, overlays: readonly Overlay[]): ConfigSource {
  const byFile = new Map(overlays.map((overlay) => [overlay.file, overlay]));
  return {
    name: source.name,
    async read() {
      const { files, problems } = await source.read();
      const known = new Set(files.map((file) => file.name));
      const kept = files.flatMap((file) => {
        const overlay = byFile.get(file.name);
        if (overlay === undefined) return [file];
        return overlay.after === undefined ? [] : [textFile(file.name, overlay.after)];
      });
      const added = overlays.filter(({ file, after }) => !known.has(file) && after !== undefined);
      return { files: [...kept, ...added.map(({ file, after }) => textFile(file, after as string))], problems };
    },
  };
}
