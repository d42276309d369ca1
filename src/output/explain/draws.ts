import { clusterText } from '../../explain/cluster-text.ts';
import type { Draws } from '../../explain/draw.ts';
import { percent } from '../../explain/percent.ts';
import type { Explanation } from '../../explain/types.ts';
import { type Canvas, paint } from './paint.ts';
import { destinationText } from './words.ts';

const LONGEST_BAR = 30;
const SHORTEST_BAR = 5;
/** `72.81 %`. */
const PERCENT = 7;

/** What `--times N` drew, as bars. */
export function drawsText({ times, seed, outcomes, delayed, mirrored }: Draws, { outcomes: ways }: Explanation, canvas: Canvas): string[] {
  const rows = outcomes.map(({ id, count }) => {
    const way = ways.find((o) => o.id === id)!;
    return { count, text: way.type === 'forward' && way.destination !== undefined ? destinationText(way.destination) : way.summary };
  });
  const digits = Math.max(...rows.map((r) => String(r.count).length));
  const before = 3 + digits + 2 + PERCENT + 2;
  const longest = Math.max(...rows.map((r) => r.text.length));
  const room = Math.min(LONGEST_BAR, canvas.width - before - 2 - longest);
  const lines = [
    `${paint(canvas, 'bold', `${times} ${times === 1 ? 'request' : 'requests'}`)}  ${paint(canvas, 'dim', `drawn with seed ${seed}`)}`,
  ];
  for (const { count, text } of rows) {
    const numbers = `   ${String(count).padStart(digits)}  ${percent(count / times).padStart(PERCENT)}`;
    if (room >= SHORTEST_BAR) {
      const bar = '█'.repeat(Math.round((count / times) * room)).padEnd(room, '·');
      lines.push(`${numbers}  ${paint(canvas, 'cyan', bar)}  ${text}`);
    } else if (before + longest <= canvas.width) lines.push(`${numbers}  ${text}`);
    else lines.push(numbers, `   ${text}`);
  }
  if (delayed > 0)
    lines.push(`   ${String(delayed).padStart(digits)}  ${percent(delayed / times).padStart(7)}  delayed by an injected fault`);
  for (const { cluster, count } of mirrored)
    lines.push(`   ${String(count).padStart(digits)}  ${percent(count / times).padStart(7)}  copied to ${clusterText(cluster)}`);
  return lines;
}
