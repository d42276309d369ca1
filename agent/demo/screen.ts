/** The demo's one screen, drawn again in place on a terminal; elsewhere only the end is printed. */
import { styleText } from 'node:util';
import type { Act } from './act.ts';

export interface Screen {
  draw(seconds: number, of: number): void;
  /** The last picture stays, without the clock. */
  end(): void;
}

export interface ScreenOptions {
  acts: readonly Act[];
  terminal: boolean;
  color: boolean;
  columns(): number;
  write(text: string): void;
}

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const CLEAR_DOWN = '\u001b[J';
const up = (lines: number): string => (lines > 0 ? `\u001b[${lines}A\r` : '');

export function createScreen({ acts, terminal, color, columns, write }: ScreenOptions): Screen {
  let drawn = 0;
  const title = Math.max(...acts.map((a) => a.title.length));
  const file = Math.max(...acts.map((a) => a.file.length));

  function picture(head: string): string[] {
    const width = columns() - 1;
    // Two lines an act where one would be cut.
    const narrow = width < title + file + 60;
    const rows = acts.flatMap((a) => {
      const name = paint('bold', a.title.padEnd(title));
      const where = paint('cyan', a.file.padEnd(file));
      return narrow
        ? [`  ${name}  ${where}`, `      ${a.seen().slice(0, width - 6)}`]
        : [`  ${name}  ${where}  ${a.seen().slice(0, width - title - file - 6)}`];
    });
    return [head.slice(0, width), '', ...rows];
  }

  function paint(style: 'bold' | 'cyan' | 'dim', text: string): string {
    return color ? styleText(style, text, { validateStream: false }) : text;
  }

  function show(lines: readonly string[]): void {
    write(`${up(drawn)}${CLEAR_DOWN}${lines.join('\n')}\n`);
    drawn = lines.length;
  }

  return {
    draw(seconds, of) {
      if (terminal) show([`${HIDE_CURSOR}what the mesh does, after ${seconds} of ${of} s`, ...picture('').slice(1)]);
    },
    end() {
      if (terminal) show(picture('what the mesh did'));
      if (terminal) write(SHOW_CURSOR);
    },
  };
}
