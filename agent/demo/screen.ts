/** The demo's one screen, drawn again in place on a terminal; elsewhere it stays silent until the end. */
import { actLines } from '../../src/output/demo.ts';
import { type Act, shown } from './act.ts';

export interface Screen {
  draw(seconds: number, of: number): void;
  /** The picture makes room for the summary. */
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
  const showCursor = (): void => write(SHOW_CURSOR);
  // Whatever ends the process: nobody wants a terminal without a cursor.
  if (terminal) process.once('exit', showCursor);

  return {
    draw(seconds, of) {
      if (!terminal) return;
      const rows = actLines(acts.map(shown), { color, width: columns() }, '');
      const lines = [`what the mesh does, after ${seconds} of ${of} s`, '', ...rows];
      write(`${HIDE_CURSOR}${up(drawn)}${CLEAR_DOWN}${lines.join('\n')}\n`);
      drawn = lines.length;
    },
    end() {
      if (!terminal) return;
      process.off('exit', showCursor);
      write(`${up(drawn)}${CLEAR_DOWN}${SHOW_CURSOR}`);
      drawn = 0;
    },
  };
}
