import type { Position } from './resource.ts';

/** The decoded text of one file, without a byte order mark. */
export interface TextFile {
  /** As the user named it; `-` for standard input. */
  readonly name: string;
  readonly text: string;
  /** The place of an offset (UTF-16 units); one beyond the end is the end. */
  positionAt(offset: number): Position;
  /** A line without its line break; undefined when there is no such line. 1-based. */
  line(number: number): string | undefined;
}

/** The table of line starts is made when the first position is asked for, and let go under memory pressure. */
export function textFile(name: string, text: string): TextFile {
  let table: WeakRef<Uint32Array> | undefined;
  const lineStarts = (): Uint32Array => {
    let starts = table?.deref();
    if (starts === undefined) {
      starts = findLineStarts(text);
      table = new WeakRef(starts);
    }
    return starts;
  };
  return {
    name,
    text,
    positionAt(offset) {
      const starts = lineStarts();
      const at = Math.max(0, Math.min(offset, text.length));
      let low = 0;
      let high = starts.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (starts[middle]! <= at) low = middle;
        else high = middle - 1;
      }
      return { file: name, line: low + 1, column: at - starts[low]! + 1 };
    },
    line(number) {
      const starts = lineStarts();
      const start = starts[number - 1];
      if (start === undefined) return undefined;
      return text.slice(start, starts[number] ?? text.length).replace(/[\r\n]+$/, '');
    },
  };
}

/** YAML 1.2 5.4: a line ends with LF, CR LF or CR. */
function findLineStarts(text: string): Uint32Array {
  const hasReturns = text.includes('\r');
  let starts = new Uint32Array(1024);
  let count = 1;
  for (let i = 0; i < text.length; ) {
    let next: number;
    if (hasReturns) {
      while (i < text.length && text.charCodeAt(i) !== 10 && text.charCodeAt(i) !== 13) i++;
      if (i >= text.length) break;
      next = text.charCodeAt(i) === 13 && text.charCodeAt(i + 1) === 10 ? i + 2 : i + 1;
    } else {
      const newline = text.indexOf('\n', i);
      if (newline === -1) break;
      next = newline + 1;
    }
    if (count === starts.length) {
      const larger = new Uint32Array(count * 2);
      larger.set(starts);
      starts = larger;
    }
    starts[count++] = next;
    i = next;
  }
  return starts.slice(0, count);
}
