/**
 * The first value of a query parameter, undecoded; '' when it has no value; undefined when it is not there. Envoy compares
 * both names and values as they stand in the path.
 */
export function queryValue(path: string, name: string): string | undefined {
  let at = path.indexOf('?');
  if (at < 0) return undefined;
  const hash = path.indexOf('#', at);
  const end = hash < 0 ? path.length : hash;
  at++;
  while (at <= end) {
    let stop = path.indexOf('&', at);
    if (stop < 0 || stop > end) stop = end;
    if (path.startsWith(name, at)) {
      const after = at + name.length;
      if (after === stop) return '';
      if (after < stop && path.charCodeAt(after) === 61) return path.slice(after + 1, stop);
    }
    at = stop + 1;
  }
  return undefined;
}
