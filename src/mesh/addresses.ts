const v4 = /^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/;
const v6 = /^[0-9a-fA-F:]*:[0-9a-fA-F:.]*(%[\w.-]+)?$/;

/** Whether `text` is an IPv4 or IPv6 literal (no CIDR, no brackets). The parser has checked the finer points. */
export function isIp(text: string): boolean {
  return v4.test(text) || (v6.test(text) && text.split('::').length <= 2);
}

/** Loopback: all of 127.0.0.0/8, ::1, and the name `localhost`. */
export function isLoopback(address: string): boolean {
  return address === '::1' || address === 'localhost' || (address.startsWith('127.') && v4.test(address));
}

/** A CIDR of one address is that address (`10.0.0.1/32`); anything else stays. */
export function plainAddress(text: string): string {
  const slash = text.indexOf('/');
  if (slash === -1) return text;
  const address = text.slice(0, slash);
  return text.slice(slash + 1) === (address.includes(':') ? '128' : '32') ? address : text;
}
