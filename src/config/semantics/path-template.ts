/** What RFC 3986 allows in a segment, less `*`, which Envoy's path templates give another meaning. */
const LITERAL = /^[A-Za-z0-9\-._~%!$&'()+,;:@=]+$/;

/**
 * Why a path of an AuthorizationPolicy is refused, or undefined. `{*}` stands for one segment, `{**}` for any number; in a path with one of
 * them the other segments are literal.
 */
export function pathTemplateProblem(path: string): string | undefined {
  if (!path.includes('{') && !path.includes('}')) return undefined;
  const segments = path.replace(/^\/+|\/+$/g, '').split('/');
  let rest = false;
  for (const segment of segments) {
    if (segment === '{*}' || segment === '{**}') {
      if (rest) return `nothing can be templated after {**}`;
      rest = segment === '{**}';
    } else if (segment.includes('{') || segment.includes('}')) {
      return `a template is {*} or {**} as a whole segment, not ${JSON.stringify(segment)}`;
    }
  }
  if (!segments.some((segment) => segment === '{*}' || segment === '{**}')) return undefined;
  const bad = segments.find((segment) => segment !== '{*}' && segment !== '{**}' && !LITERAL.test(segment));
  if (bad === undefined) return undefined;
  return bad === '' ? 'an empty segment stands beside a template' : `${JSON.stringify(bad)} cannot stand beside a template`;
}
