/** The largest duration that protobuf allows: about 10,000 years, in seconds. */
const maxSeconds = 315_576_000_000;

/**
 * Protobuf JSON of a duration: `"1.500s"`, `"0s"`, `"0.000250s"`. Fractions have 0, 3, 6 or 9 digits, as protobuf's JSON mapping writes them.
 *
 * @param ms milliseconds; fractions down to a nanosecond count
 * @throws RangeError when `ms` is not finite, or larger than protobuf allows
 */
export function envoyDuration(ms: number): string {
  if (!Number.isFinite(ms) || Math.abs(ms) > maxSeconds * 1000) throw new RangeError(`not a duration: ${ms} ms`);
  const sign = ms < 0 ? '-' : '';
  const positive = Math.abs(ms);
  let seconds = Math.floor(positive / 1000);
  let nanos = Math.round((positive - seconds * 1000) * 1e6);
  if (nanos === 1_000_000_000) [seconds, nanos] = [seconds + 1, 0];
  if (nanos === 0) return seconds === 0 ? '0s' : `${sign}${seconds}s`;
  const digits = String(nanos).padStart(9, '0');
  const kept = digits.endsWith('000000') ? 3 : digits.endsWith('000') ? 6 : 9;
  return `${sign}${seconds}.${digits.slice(0, kept)}s`;
}
