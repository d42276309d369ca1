import type { HTTPMatchRequest } from '../../config/kinds/networking.ts';
import { canonicalText } from '../../routing/canonical-text.ts';

type Text = { exact?: string; prefix?: string; regex?: string };

/** `exact:v` or `prefix:v`; empty for a regex or nothing. */
function form(match: Text | undefined): string {
  if (match?.exact) return `exact:${match.exact}`;
  return match?.prefix ? `prefix:${match.prefix}` : '';
}

const method = (match: Text | undefined): string => form(match) || 'exact:GET';

/**
 * Whether Istio's analysis takes the later of two matches by prefix for covered by the earlier one (IST0131). That compares texts, and
 * in one place the wrong way round: an earlier match with a narrower authority counts as wider. What it does not compare at all
 * (gateways, sources, scheme) is compared here, since rules that differ in it only are both used.
 */
export function covers(earlier: HTTPMatchRequest, later: HTTPMatchRequest): boolean {
  const [a, b] = [earlier.uri?.prefix ?? '', later.uri?.prefix ?? ''];
  if (a === b || !b.startsWith(a) || (earlier.port ?? 0) !== (later.port ?? 0)) return false;
  if (!method(earlier.method).startsWith(method(later.method)) || !form(earlier.authority).startsWith(form(later.authority))) return false;
  for (const field of ['headers', 'queryParams', 'withoutHeaders'] as const) {
    if (!sameKeysCovered(earlier[field], later[field])) return false;
  }
  return (['gateways', 'sourceLabels', 'sourceNamespace', 'scheme', 'ignoreUriCase'] as const).every((field) => {
    const value = earlier[field];
    return value === undefined || canonicalText(value) === canonicalText(later[field]);
  });
}

function sameKeysCovered(earlier: Readonly<Record<string, Text>> = {}, later: Readonly<Record<string, Text>> = {}): boolean {
  const keys = Object.keys(earlier);
  if (keys.length !== Object.keys(later).length) return false;
  return keys.every((key) => Object.hasOwn(later, key) && form(earlier[key]).startsWith(form(later[key])));
}
