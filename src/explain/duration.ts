/** Milliseconds as people say them: `250 ms`, `1.5 s`, `10 min`, `1 h`. */
export function shownDuration(ms: number): string {
  if (ms < 1000) return `${Number(ms.toFixed(3))} ms`;
  if (ms < 120_000) return `${Number((ms / 1000).toFixed(3))} s`;
  return ms < 7_200_000 ? `${Number((ms / 60_000).toFixed(2))} min` : `${Number((ms / 3_600_000).toFixed(2))} h`;
}
