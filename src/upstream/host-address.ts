/** `10.0.0.1:80`, `[::1]:80`, `name:80`. */
export function hostAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Splits `10.0.0.1:80`, `[::1]:80`, `name:80`, `name`; undefined when it is none of them. */
export function splitAddress(text: string): { host: string; port: number | undefined } | undefined {
  const found = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([^:[\]\s/@]+))(?::(\d{1,5}))?$/.exec(text);
  if (found === null) return undefined;
  const port = found[3] === undefined ? undefined : Number(found[3]);
  if (port !== undefined && port > 65_535) return undefined;
  return { host: (found[1] ?? found[2])!, port };
}
