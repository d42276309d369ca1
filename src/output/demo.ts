/** The demo as people see it: one row an act while it runs, and whether it happened in the end. */
import { styleText } from 'node:util';

export interface ShownAct {
  title: string;
  file: string;
  /** What was counted. */
  seen: string;
  happened: boolean;
  /** Why it did not happen. */
  missing?: string;
}

export interface ShownDemo {
  acts: readonly ShownAct[];
  interrupted: boolean;
}

export interface DemoFormat {
  color: boolean;
  /** Columns of the terminal; infinite without one. */
  width: number;
}

/** One line an act, or two where one would not fit. `open` says what stands for an act that has not happened yet. */
export function actLines(acts: readonly ShownAct[], { color, width }: DemoFormat, open: '' | 'MISSED'): string[] {
  const paint = (style: Parameters<typeof styleText>[0], text: string): string =>
    color ? styleText(style, text, { validateStream: false }) : text;
  const title = Math.max(...acts.map((a) => a.title.length));
  const file = Math.max(...acts.map((a) => a.file.length));
  const counted = (a: ShownAct): string => (open === '' ? a.seen : (a.missing ?? a.seen));
  const beside = 8 + title + 2 + file + 2;
  const narrow = acts.some((a) => beside + counted(a).length >= width);
  return acts.flatMap((a) => {
    const mark = a.happened ? paint('green', 'seen    ') : paint('red', open.padEnd(8));
    const head = `${mark}${paint('bold', a.title.padEnd(title))}  ${paint('cyan', a.file.padEnd(file))}`;
    if (!narrow) return [`${head}  ${counted(a)}`];
    return [head.trimEnd(), `        ${counted(a).slice(0, Math.max(20, width - 9))}`];
  });
}

export function demoText({ acts, interrupted }: ShownDemo, format: DemoFormat): string {
  if (interrupted) return 'interrupted; nothing was left behind';
  const missed = acts.filter((a) => !a.happened).length;
  const verdict = missed === 0 ? `all ${acts.length} were seen` : `${missed} of ${acts.length} did not happen`;
  return [...actLines(acts, format, 'MISSED'), '', verdict].join('\n');
}
