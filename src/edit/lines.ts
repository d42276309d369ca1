/** Whole lines of block collections. */
import { columnOf } from './nodes.ts';
import { lineEnd, lineStart, nextLine, type Splice } from './splice.ts';

/** Where the items of a collection begin and end. */
export interface Range {
  start(index: number): number;
  end(index: number): number;
}

/** A block scalar ends behind its line break; its last line is the one before. */
const lastOffset = (text: string, end: number): number => (text[end - 1] === '\n' ? end - 1 : end);

/** The end of the line on which something ends, its comment included: where the next line can be put in. */
export function afterLines(text: string, end: number): number {
  return lineEnd(text, lastOffset(text, end));
}

/**
 * Takes items out with their lines, and with the comments right above them: those speak of what follows. The comment above the first
 * item stays, since it may speak of all. `count`: how many items there are; not all of them may go.
 */
export function deletedLines(text: string, first: number, last: number, count: number, item: Range): Splice[] {
  const begin = item.start(first);
  const line = lineStart(text, begin);
  const end = nextLine(text, lastOffset(text, item.end(last)));
  if (text.slice(line, begin).trim() === '') return [{ start: first > 0 ? commentsAbove(text, line, begin) : line, end, text: '' }];
  // Behind a dash (`- a: 1`): what follows moves up to it.
  if (last + 1 >= count) return [{ start: begin, end: lineEnd(text, item.end(last)), text: '' }];
  let next = end;
  while (/\s/.test(text[next] ?? '')) next++;
  return [{ start: begin, end: next, text: '' }];
}

function commentsAbove(text: string, line: number, begin: number): number {
  const column = columnOf(text, begin);
  let start = line;
  while (start > 0) {
    const above = lineStart(text, start - 1);
    const content = text.slice(above, start);
    if (!content.trimStart().startsWith('#') || content.length - content.trimStart().length !== column) break;
    start = above;
  }
  return start;
}
