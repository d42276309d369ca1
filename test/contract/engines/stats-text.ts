/** `name: value` lines of Envoy's /stats; histograms and texts are left out. */
export function readStats(text: string): Map<string, number> {
  const out = new Map<string, number>();
  for (const line of text.split('\n')) {
    const at = line.lastIndexOf(': ');
    if (at > 0 && /^\d+$/.test(line.slice(at + 2))) out.set(line.slice(0, at), Number(line.slice(at + 2)));
  }
  return out;
}
