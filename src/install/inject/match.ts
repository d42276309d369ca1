/** Which injectors are asked about a pod, and why. */
import { type LabelSelector, type Labels, matchesSelector } from '../../mesh/labels.ts';
import { POD_SECURITY } from './choose-agent.ts';
import type { WebhookRules } from './webhooks.ts';

/** One webhook configuration that injects sidecars. */
export interface Injector {
  /** Of the configuration. */
  name: string;
  revision: string;
  /** Of a revision tag: the tag, which leads to the revision, and the configuration of the installation that it leads to, where that is Fairlead's. */
  tag?: string;
  installation?: string;
  webhooks: readonly WebhookRules[];
  /** Why the API server cannot ask it, in words; undefined when nothing is known to be in the way. */
  unusable?: string | undefined;
}

export interface InjectorMatch {
  webhook: string;
  revision: string;
  /** Of a revision tag. */
  tag?: string;
  installation?: string;
  asked: boolean;
  reason: string;
}

/** Whether an injector is asked about a pod with these labels, in a namespace with those. */
export function matchInjector(
  { name, revision, tag, installation, webhooks, unusable }: Injector,
  namespace: Labels,
  pod: Labels,
): InjectorMatch {
  const verdict = (asked: boolean, reason: string): InjectorMatch => ({
    ...{ webhook: name, revision, ...(tag === undefined ? {} : { tag }), ...(installation === undefined ? {} : { installation }) },
    ...{ asked, reason },
  });
  const matching = webhooks.find(
    ({ namespaceSelector, objectSelector }) => matchesSelector(namespaceSelector, namespace) && matchesSelector(objectSelector, pod),
  );
  if (matching !== undefined) {
    if (unusable !== undefined) return verdict(false, unusable);
    const said = [...chosenBy('namespace', matching.namespaceSelector, namespace), ...chosenBy('pod', matching.objectSelector, pod)];
    return verdict(true, said.length === 0 ? 'it is asked about every pod' : said.join(', '));
  }
  // The one that fails by the least is the one that was meant.
  const failures = webhooks.map(({ namespaceSelector, objectSelector }) => [
    ...failing('namespace', namespaceSelector, namespace),
    ...failing('pod', objectSelector, pod),
  ]);
  const denied = failures.flat().find((f) => f.denies);
  if (denied !== undefined) return verdict(false, denied.text);
  const wanted = [...new Set(failures.flat().map((f) => f.text))];
  return verdict(false, wanted.length === 0 ? 'it has no webhooks' : wanted.join('; '));
}

type Expression = NonNullable<LabelSelector['matchExpressions']>[number];

/** Without Pod Security: it decides which of two webhooks is asked, never whether one is. */
const expressionsOf = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector): Expression[] => [
  ...Object.entries(matchLabels).map(([key, value]) => ({ key, operator: 'In', values: [value] })),
  ...matchExpressions.filter(({ key }) => key !== POD_SECURITY),
];

const holds = (expression: Expression, labels: Labels): boolean => matchesSelector({ matchExpressions: [expression] }, labels);

/** Labels that were asked for and are there. */
function chosenBy(whose: string, selector: LabelSelector, labels: Labels): string[] {
  return expressionsOf(selector).flatMap(({ key = '', operator }) =>
    operator === 'In' || operator === 'Exists' ? [`the ${whose} has ${key}=${labels[key] ?? ''}`] : [],
  );
}

function failing(whose: string, selector: LabelSelector, labels: Labels): { text: string; denies: boolean }[] {
  return expressionsOf(selector)
    .filter((expression) => !holds(expression, labels))
    .map(({ key = '', operator, values = [] }) => {
      const has = Object.hasOwn(labels, key);
      if (operator === 'NotIn') return { text: `the ${whose} has ${key}=${labels[key]}`, denies: true };
      if (operator === 'DoesNotExist') return { text: `the ${whose} has ${key}=${labels[key]}, which decides`, denies: false };
      const wanted = operator === 'Exists' ? key : `${key}=${values.join('|')}`;
      return { text: has ? `the ${whose} has ${key}=${labels[key]}, not ${wanted}` : `the ${whose} has no label ${wanted}`, denies: false };
    });
}
