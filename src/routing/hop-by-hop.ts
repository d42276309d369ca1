/**
 * Header fields of one connection, which never go on to the next (RFC 9110 7.6.1). Envoy drops the same ones when it makes
 * the next message.
 */
const ALWAYS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'proxy-authenticate',
]);
/** A Connection header that names one of these is refused with 400 (Envoy 1.40). */
const PROTECTED: ReadonlySet<string> = new Set(['host', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto']);
/** Tokens that say something about the connection itself; the framing of a message is the sender's own affair. */
const OPTIONS: ReadonlySet<string> = new Set(['', 'close', 'keep-alive', 'upgrade', 'te', 'content-length', 'transfer-encoding']);

/**
 * Removes hop-by-hop fields from a flat list in place: those of the RFC, those that Connection names, and TE but for `trailers`.
 * `keepUpgrade` leaves a switch of protocols asked for: `Connection: Upgrade` and `Upgrade` stay. True when the header list is fine;
 * false when Connection names a field that must not be removed: such a message is refused (400).
 */
export function removeHopByHop(headers: string[], keepUpgrade = false): boolean {
  let named: Set<string> | undefined;
  let present = false;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    if (name === 'connection') {
      for (const token of headers[i + 1]!.split(',')) {
        const field = token.trim().toLowerCase();
        if (OPTIONS.has(field)) continue;
        if (PROTECTED.has(field) || field.startsWith(':')) return false;
        named ??= new Set();
        named.add(field);
      }
      present = true;
    } else if (ALWAYS.has(name) || name === 'te') present = true;
  }
  if (!present) return true;
  let kept = 0;
  let upgrade: string | undefined;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    let value = headers[i + 1]!;
    if (name === 'upgrade') upgrade = value;
    if (ALWAYS.has(name) || named?.has(name) === true) continue;
    if (name === 'te') {
      // RFC 9110 10.1.4, RFC 9113 8.2.2: TE may only say trailers.
      if (!value.split(',').some((token) => token.trim().toLowerCase().startsWith('trailers'))) continue;
      value = 'trailers';
    }
    headers[kept] = name;
    headers[kept + 1] = value;
    kept += 2;
  }
  headers.length = kept;
  if (keepUpgrade && upgrade !== undefined) headers.push('connection', 'upgrade', 'upgrade', upgrade);
  return true;
}
