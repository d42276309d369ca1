/** The demo's summary: what was counted, and whether it is what the mesh promised. */
import { styleText } from 'node:util';

export interface ShownDemo {
  acts: readonly { title: string; file: string; seen: string; happened: boolean; missing?: string }[];
  interrupted: boolean;
}

export function demoText({ acts, interrupted }: ShownDemo, color: boolean): string {
  if (interrupted) return '\ninterrupted; nothing was left behind';
  const paint = (style: 'green' | 'red', text: string): string => (color ? styleText(style, text, { validateStream: false }) : text);
  const title = Math.max(...acts.map((a) => a.title.length));
  const lines = acts.map(
    (a) => `${a.happened ? paint('green', 'seen  ') : paint('red', 'MISSED')}  ${a.title.padEnd(title)}  ${a.missing ?? a.seen}`,
  );
  const missed = acts.filter((a) => !a.happened).length;
  return ['', ...lines, '', missed === 0 ? `all ${acts.length} were seen` : `${missed} of ${acts.length} did not happen`].join('\n');
}
