const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const months = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const two = (n: number): string => String(n).padStart(2, '0');

/** strftime in UTC for what Envoy's START_TIME takes; undefined for a format with something else in it. */
export function compileTimeFormat(format: string): ((ms: number) => string) | undefined {
  if (format === '') return (ms) => new Date(ms).toISOString();
  const parts: (string | ((date: Date, ms: number) => string))[] = [];
  for (let i = 0; i < format.length; i++) {
    if (format[i] !== '%') {
      const last = parts.at(-1);
      if (typeof last === 'string') parts[parts.length - 1] = last + format[i];
      else parts.push(format[i]!);
      continue;
    }
    // %f alone is nine digits; %3f and so on cut the fraction: Envoy.
    const wide = /^%([1-9]?)f/.exec(format.slice(i));
    if (wide !== null) {
      const digits = Number(wide[1] === '' ? 9 : wide[1]);
      parts.push((_, ms) => fraction(ms).slice(0, digits));
      i += wide[0].length - 1;
      continue;
    }
    const show = conversions[format[++i] ?? ''];
    if (show === undefined) return undefined;
    parts.push(show);
  }
  return (ms) => {
    const date = new Date(ms);
    let out = '';
    for (const part of parts) out += typeof part === 'string' ? part : part(date, ms);
    return out;
  };
}

function fraction(ms: number): string {
  const micros = Math.round((ms - Math.floor(ms / 1000) * 1000) * 1000);
  return `${String(micros).padStart(6, '0')}000`;
}

const conversions: Readonly<Record<string, (date: Date, ms: number) => string>> = {
  s: (_, ms) => String(Math.floor(ms / 1000)),
  Y: (d) => String(d.getUTCFullYear()),
  y: (d) => two(d.getUTCFullYear() % 100),
  m: (d) => two(d.getUTCMonth() + 1),
  d: (d) => two(d.getUTCDate()),
  e: (d) => String(d.getUTCDate()).padStart(2, ' '),
  H: (d) => two(d.getUTCHours()),
  I: (d) => two(d.getUTCHours() % 12 || 12),
  M: (d) => two(d.getUTCMinutes()),
  S: (d) => two(d.getUTCSeconds()),
  p: (d) => (d.getUTCHours() < 12 ? 'AM' : 'PM'),
  a: (d) => days[d.getUTCDay()]!.slice(0, 3),
  A: (d) => days[d.getUTCDay()]!,
  b: (d) => months[d.getUTCMonth()]!.slice(0, 3),
  h: (d) => months[d.getUTCMonth()]!.slice(0, 3),
  B: (d) => months[d.getUTCMonth()]!,
  j: (d) => String(Math.floor((d.getTime() - Date.UTC(d.getUTCFullYear(), 0)) / 86_400_000) + 1).padStart(3, '0'),
  F: (d) => d.toISOString().slice(0, 10),
  T: (d) => d.toISOString().slice(11, 19),
  R: (d) => d.toISOString().slice(11, 16),
  z: () => '+0000',
  Z: () => 'UTC',
  E: () => '',
  n: () => '\n',
  t: () => '\t',
  '%': () => '%',
};
