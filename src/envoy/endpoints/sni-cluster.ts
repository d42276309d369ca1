/** The parts of `outbound_.80_.v1_.host`, the name of an AUTO_PASSTHROUGH gateway's cluster; undefined for other names. */
export function parseSniClusterName(name: string): { port: number; subset: string; host: string } | undefined {
  if (!name.startsWith('outbound_.')) return undefined;
  const [, port, subset, ...host] = name.split('_.');
  if (port === undefined || subset === undefined || host.length === 0) return undefined;
  return { port: Number(port), subset, host: host.join('_.') };
}
