import { clusterText } from '../../explain/cluster-text.ts';
import type { Draws } from '../../explain/draw.ts';
import { percent } from '../../explain/percent.ts';
import type { Explanation } from '../../explain/types.ts';
import { type Canvas, paint } from './paint.ts';
import { destinationText } from './words.ts';

const LONGEST_BAR = 30;

/** What `--times N` drew, as bars. */
export function drawsText({ times, seed, outcomes, delayed, mirrored }: Draws, { outcomes: ways }: Explanation, canvas: Canvas): string[] {
  const rows = outcomes.map(({ id, count }) => {
    const way = ways.find((o) => o.id === id)!;
    return { count, text: way.type === 'forward' && way.destination !== undefined ? destinationText(way.destination) : way.summary };
  });
  const digits = Math.max(...rows.map((r) => String(r.count).length));
  const room = Math.max(5, Math.min(LONGEST_BAR, Math.floor(canvas.width / 4)));
  const lines = [
    `${paint(canvas, 'bold', `${times} ${times === 1 ? 'request' : 'requests'}`)}  ${paint(canvas, 'dim', `drawn with seed ${seed}`)}`,
  ];
  for (const { count, text } of rows) {
    const bar = '█'.repeat(Math.round((count / times) * room)).padEnd(room, '·');
    lines.push(`   ${String(count).padStart(digits)}  ${percent(count / times).padStart(7)}  ${paint(canvas, 'cyan', bar)}  ${text}`);
  }
  if (delayed > 0)
    lines.push(`   ${String(delayed).padStart(digits)}  ${percent(delayed / times).padStart(7)}  delayed by an injected fault`);
  for (const { cluster, count } of mirrored)
    lines.push(`   ${String(count).padStart(digits)}  ${percent(count / times).padStart(7)}  copied to ${clusterText(cluster)}`);
  return lines;
}
