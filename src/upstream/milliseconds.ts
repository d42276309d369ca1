/** Milliseconds of a protobuf JSON duration (`"1.500s"`), fractions kept; `fallback` when it is not set or is none. */
export function milliseconds(text: string | undefined, fallback: number): number {
  const found = text === undefined ? null : /^(-?)(\d+)(?:\.(\d{1,9}))?s$/.exec(text);
  if (found === null) return fallback;
  const ms = Number(found[2]) * 1000 + Number((found[3] ?? '').padEnd(9, '0')) / 1e6;
  return found[1] === '-' ? -ms : ms;
}
