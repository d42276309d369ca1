let shown = '';
let second = -1;

/** The `date` header's value now (RFC 9110 5.6.7); formatted once a second. */
export function httpDate(): string {
  const now = Math.floor(Date.now() / 1000);
  if (now !== second) {
    second = now;
    shown = new Date(now * 1000).toUTCString();
  }
  return shown;
}
