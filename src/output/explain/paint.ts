import { styleText } from 'node:util';

export type Style = Parameters<typeof styleText>[0];

/** How a text is drawn: colours on a terminal, lines of at most `width` columns. */
export interface Canvas {
  readonly color: boolean;
  readonly width: number;
}

export const paint = ({ color }: Canvas, style: Style, text: string): string =>
  color ? styleText(style, text, { validateStream: false }) : text;

// biome-ignore lint/suspicious/noControlCharactersInRegex: names from a dump must not steer the terminal
const control = /[\u0000-\u001f\u007f-\u009f]/g;

/** Text from a configuration, as it can be shown. */
export const printable = (text: string): string => text.replace(control, '?');

/** Lines of at most `width` columns, broken at spaces; a word that is longer stands alone. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of printable(text).split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines;
}
