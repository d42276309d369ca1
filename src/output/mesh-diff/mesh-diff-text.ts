import { formatPosition } from '../../config/resource.ts';
import type { Cause, Effect } from '../../diff/causes.ts';
import type { ConfigChange } from '../../diff/config-changes.ts';
import type { MeshDiff } from '../../diff/mesh-diff.ts';
import { harmless } from '../source-excerpt.ts';

/** What the two sides are called: `main`, `mesh`. */
export interface SideNames {
  before: string;
  after: string;
}

const RED = '\u001b[31m';
const GREEN = '\u001b[32m';
const BOLD = '\u001b[1m';
const DIM = '\u001b[2m';
const RESET = '\u001b[0m';
/** More effects of one cause, or fields of one effect, are counted. */
const SHOWN = 12;

/** The difference as people read it: cause by cause, then what requests notice. */
export function meshDiffText(diff: MeshDiff, names: SideNames, color: boolean): string {
  const paint = (code: string, text: string): string => (color ? `${code}${text}${RESET}` : text);
  const { causes, behaviour, addedProxies, removedProxies, tried, proxies } = diff;
  const parts: string[] = [];
  for (const name of addedProxies) parts.push(paint(GREEN, `+ proxy ${name}`));
  for (const name of removedProxies) parts.push(paint(RED, `- proxy ${name}`));
  for (const cause of causes) if (cause.config !== undefined || cause.effects.length > 0) parts.push(causeText(cause, names, paint));
  if (parts.length === 0)
    return `no difference between ${names.before} and ${names.after} for ${count(proxies.length, 'prox', 'y', 'ies')}`;
  parts.push(
    behaviour.length === 0
      ? quiet(tried)
      : [paint(BOLD, 'what requests notice'), ...behaviour.map((b) => behaviourText(b, paint))].join('\n'),
  );
  return parts.join('\n\n');
}

type Paint = (code: string, text: string) => string;

const quiet = (tried: number): string =>
  tried === 0
    ? 'no request was tried'
    : `${count(tried, 'request', '', 's')} at the boundaries of the routes concerned would end as before`;

const count = (n: number, stem: string, one: string, many: string): string => `${n} ${stem}${n === 1 ? one : many}`;

function causeText({ config, effects }: Cause, names: SideNames, paint: Paint): string {
  const lines = config === undefined ? [paint(BOLD, 'by something else than a change of a resource')] : configLines(config, names, paint);
  if (effects.length === 0) lines.push(paint(DIM, '    changes nothing in any proxy'));
  for (const effect of effects.slice(0, SHOWN)) lines.push(...effectLines(effect, paint));
  if (effects.length > SHOWN) lines.push(paint(DIM, `    and ${effects.length - SHOWN} more (-o json has all)`));
  return lines.join('\n');
}

function configLines({ change, origin, position, fields }: ConfigChange, names: SideNames, paint: Paint): string[] {
  const at = formatPosition(position);
  if (change === 'added') return [paint(GREEN, `+ ${at}  ${origin}`)];
  if (change === 'removed') return [paint(RED, `- ${at}  ${origin}`) + paint(DIM, `  (as of ${names.before})`)];
  return fields.map(({ path, before, after, position: where }, i) => {
    const words = `${path} ${paint(RED, short(before))} -> ${paint(GREEN, short(after))}`;
    return `${paint(BOLD, formatPosition(where))}  ${i === 0 ? `${origin}  ` : ''}${words}`;
  });
}

function effectLines({ type, name, change, fields, proxies }: Effect, paint: Paint): string[] {
  const verb = { added: 'adds', removed: 'removes', changed: 'changes' }[change];
  const on = proxies.length <= 3 ? proxies.join(', ') : `${proxies.length} proxies`;
  const lines = [`    ${verb} ${type} ${harmless(name)} on ${on}`];
  for (const { path, before, after } of fields.slice(0, SHOWN)) lines.push(paint(DIM, `      ${path} ${short(before)} -> ${short(after)}`));
  if (fields.length > SHOWN) lines.push(paint(DIM, `      and ${fields.length - SHOWN} more fields`));
  return lines;
}

/** Values in one line; long ones are cut. */
function short(value: unknown): string {
  if (value === undefined) return '(none)';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return harmless(text.length > 80 ? `${text.slice(0, 77)}...` : text);
}

function behaviourText({ request, changes, proxies }: MeshDiff['behaviour'][number], paint: Paint): string {
  const on = proxies.length <= 2 ? proxies.join(', ') : `${proxies.length} proxies`;
  const lines = changes.map(({ change, outcome, facets }) => {
    const name = harmless(outcome);
    if (change === 'added') return paint(GREEN, `    + ${name}${facets[0]?.after === '100 %' ? '' : ` (${facets[0]?.after})`}`);
    if (change === 'removed') return paint(RED, `    - ${name}${facets[0]?.before === '100 %' ? '' : ` (${facets[0]?.before})`}`);
    const words = facets.map(({ what, before, after }) => `${what} ${paint(RED, short(before))} -> ${paint(GREEN, short(after))}`);
    return `    ${name}: ${words.join('; ')}`;
  });
  return [`  ${harmless(request)}  ${paint(DIM, `(${on})`)}`, ...lines].join('\n');
}
