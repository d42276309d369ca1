import type { HTTPMatchRequest, VirtualService } from '../../config/kinds/networking.ts';
import type { Resource } from '../../config/resource.ts';
import { canonicalText } from '../../routing/canonical-text.ts';
import type { Analyzer } from '../analyzer.ts';
import type { ReportFinding } from '../finding.ts';
import { covers } from '../model/http-match-cover.ts';

/** Rules and matches that an earlier one of the same VirtualService takes everything from. */
export const unreachableRules: Analyzer = {
  name: 'unreachable-rules',
  codes: ['IST0130', 'IST0131'],
  run(model, report) {
    for (const resource of model.of<VirtualService>('VirtualService')) {
      for (const list of ['http', 'tls', 'tcp'] as const) checkList(resource, list, report);
    }
  },
};

interface Rule {
  name?: string;
  match?: readonly { name?: string }[];
}

interface Place {
  readonly rule: string;
  readonly match: string;
  readonly at: readonly (string | number)[];
}

const quoted = (name: string | undefined, index: number): string => (name ? JSON.stringify(name) : `#${index}`);

/** All of a match but its name; an empty map of conditions is none. */
function conditionsOf(match: object): object {
  const isNone = (field: string, value: unknown): boolean => field === 'name' || (MAPS.has(field) && canonicalText(value) === '{}');
  return Object.fromEntries(Object.entries(match).filter(([field, value]) => !isNone(field, value)));
}

const MAPS = new Set(['headers', 'queryParams', 'withoutHeaders', 'sourceLabels']);

function checkList(resource: Resource<VirtualService>, list: 'http' | 'tls' | 'tcp', report: ReportFinding): void {
  const rules = (resource.spec[list] ?? []) as readonly Rule[];
  const seen = new Map<string, Place>();
  const prefixes: (Place & { value: HTTPMatchRequest })[] = [];
  let catchAll: Place | undefined;
  const related = (place: Place, note: string) => ({ related: [{ resource, at: place.at, note }] });
  for (const [i, { name, match = [] }] of rules.entries()) {
    const at = ['spec', list, i];
    const ruleno = quoted(name, i);
    if (match.length === 0) {
      if (catchAll !== undefined) {
        report(
          'IST0130',
          resource,
          at,
          { ruleno, reason: 'only the last rule can be without a match' },
          related(catchAll, 'this rule takes everything'),
        );
      }
      catchAll = { rule: ruleno, match: '', at };
      continue;
    }
    let repeated = 0;
    for (const [j, value] of match.entries()) {
      const place: Place = { rule: ruleno, match: quoted(value.name, j), at: [...at, 'match', j] };
      if (catchAll !== undefined) {
        report(
          'IST0130',
          resource,
          place.at,
          { ruleno, reason: `rule ${catchAll.rule} before it has no match and takes everything` },
          related(catchAll, 'this rule takes everything'),
        );
        continue;
      }
      const key = canonicalText(conditionsOf(value));
      const earlier = seen.get(key);
      if (earlier !== undefined) {
        repeated++;
        report(
          'IST0131',
          resource,
          place.at,
          { ruleno, matchno: place.match, dupno: earlier.rule },
          related(earlier, 'the same match is here'),
        );
        continue;
      }
      seen.set(key, place);
      if (list === 'http' && (value as HTTPMatchRequest).uri?.prefix) prefixes.push({ ...place, value: value as HTTPMatchRequest });
    }
    if (repeated === match.length) report('IST0130', resource, at, { ruleno, reason: 'all its matches are used by rules before it' });
  }
  for (const [j, later] of prefixes.entries()) {
    for (const earlier of prefixes.slice(0, j)) {
      if (!covers(earlier.value, later.value)) continue;
      const matchno = `${later.match} of prefix ${later.value.uri!.prefix}`;
      const dupno = `${earlier.match} of prefix ${earlier.value.uri!.prefix} in rule ${earlier.rule}`;
      report('IST0131', resource, later.at, { ruleno: later.rule, matchno, dupno }, related(earlier, 'the wider prefix is here'));
    }
  }
}
