import type { AuthorizationPolicy, Rule, Source } from '../../config/kinds/security.ts';
import type { FieldPath, Resource } from '../../config/resource.ts';
import { isSubset } from '../../mesh/labels.ts';
import { isTcp } from '../../mesh/protocol.ts';
import type { Analyzer } from '../analyzer.ts';
import type { ReportFinding } from '../finding.ts';
import type { AnalysisModel } from '../model/analysis-model.ts';
import { effectiveMtls, isAttached, selectorOf, workloadPorts, workloadsUnder } from '../model/policy-scope.ts';

type Policy = Resource<AuthorizationPolicy>;

/** AuthorizationPolicies that let everybody or nobody in, or whose conditions cannot be judged where they are. */
export const policyRules: Analyzer = {
  name: 'fl-policy-rules',
  codes: ['FL0301', 'FL0302', 'FL0304', 'FL0305'],
  run(model, report) {
    const all = model.of<AuthorizationPolicy>('AuthorizationPolicy');
    const allows = Map.groupBy(all.filter(isAllowing), ({ metadata }) => metadata.namespace);
    for (const policy of all) {
      checkWhole(model, policy, allows, report);
      checkTcp(model, policy, report);
      checkPrincipals(model, policy, report);
    }
  },
};

const actionOf = ({ spec }: Policy): string => spec.action ?? 'ALLOW';
const isAllowing = (policy: Policy): boolean => actionOf(policy) === 'ALLOW' && (policy.spec.rules ?? []).length > 0;

/** No condition at all, so that it is about every request. */
function isEverything({ from = [], to = [], when = [] }: Rule): boolean {
  return from.length === 0 && to.length === 0 && when.length === 0;
}

function checkWhole(model: AnalysisModel, policy: Policy, allows: ReadonlyMap<string, readonly Policy[]>, report: ReportFinding): void {
  const { rules = [] } = policy.spec;
  const everything = rules.findIndex((rule) => isEverything(rule ?? {}));
  const action = actionOf(policy);
  if (action === 'DENY' && everything !== -1) {
    report('FL0301', policy, ['spec', 'rules', everything], { why: 'its rule has no condition, so that it refuses every request' });
  } else if (action === 'ALLOW' && rules.length === 0 && !hasException(model, policy, allows)) {
    report(
      'FL0301',
      policy,
      ['spec'],
      { why: 'it allows nothing, and no other policy allows anything to the same workloads' },
      { atKey: true },
    );
  }
  if (action !== 'ALLOW' || everything === -1) return;
  const others = rules.length - 1;
  report('FL0302', policy, ['spec', 'rules', everything], { others });
}

/** Whether another policy allows something to some workload that this one, which allows nothing, is for. */
function hasException(model: AnalysisModel, policy: Policy, allows: ReadonlyMap<string, readonly Policy[]>): boolean {
  const { namespace } = policy.metadata;
  if (namespace === model.rootNamespace) return allows.size > 0 || Object.keys(selectorOf(policy)).length === 0;
  // Without workloads nobody can tell what it is for: a namespace that is closed until something is opened.
  if (!model.given.workloads(namespace)) return true;
  const selector = selectorOf(policy);
  return [...(allows.get(namespace) ?? []), ...(allows.get(model.rootNamespace) ?? [])].some((other) => {
    if (isAttached(other) || isAttached(policy)) return true;
    const wanted = selectorOf(other);
    return (
      isSubset(wanted, selector) ||
      isSubset(selector, wanted) ||
      workloadsUnder(model, policy).some(({ labels }) => isSubset(wanted, labels))
    );
  });
}

const HTTP_OPERATIONS = ['hosts', 'notHosts', 'methods', 'notMethods', 'paths', 'notPaths'] as const;
const HTTP_SOURCES = ['requestPrincipals', 'notRequestPrincipals', 'remoteIpBlocks', 'notRemoteIpBlocks'] as const;
const HTTP_KEY = /^(?:request\.|remote\.ip$)/;

/** The first field of a rule that only HTTP has. */
function httpField({ from = [], to = [], when = [] }: Rule): FieldPath | undefined {
  for (const [i, { operation = {} }] of to.entries()) {
    for (const field of HTTP_OPERATIONS) if (operation[field]?.length) return ['to', i, 'operation', field];
  }
  for (const [i, { source = {} }] of from.entries()) {
    for (const field of HTTP_SOURCES) if (source[field]?.length) return ['from', i, 'source', field];
  }
  const i = when.findIndex(({ key }) => HTTP_KEY.test(key));
  return i === -1 ? undefined : ['when', i, 'key'];
}

function checkTcp(model: AnalysisModel, policy: Policy, report: ReportFinding): void {
  if (isAttached(policy) || !['ALLOW', 'DENY'].includes(actionOf(policy))) return;
  const found = (policy.spec.rules ?? []).flatMap((rule, i) => {
    const field = httpField(rule ?? {});
    return field === undefined ? [] : [{ rule, at: ['spec', 'rules', i, ...field] }];
  });
  if (found.length === 0) return;
  // Policies for everything are about the ports that they can be judged on.
  if (Object.keys(selectorOf(policy)).length === 0) return;
  const ports = workloadsUnder(model, policy)
    .slice(0, 50)
    .flatMap((workload) => workloadPorts(model, workload));
  for (const { rule, at } of found) {
    const named = new Set((rule.to ?? []).flatMap(({ operation }) => operation?.ports ?? []));
    const meant = named.size === 0 ? ports : ports.filter(({ target }) => named.has(String(target)));
    if (meant.length === 0 || !meant.every(({ protocol }) => isTcp(protocol))) continue;
    const [first] = meant;
    const effect =
      actionOf(policy) === 'ALLOW'
        ? 'the rule never holds there: nobody is let in by it'
        : 'it is left out there: more is refused than meant';
    const related = [{ resource: first!.service, at: ['spec', 'ports', first!.index], note: `this port is ${first!.protocol}` }];
    report(
      'FL0304',
      policy,
      at,
      { field: String(at.at(-1)), ports: [...new Set(meant.map(({ target }) => target))], effect },
      { atKey: true, related },
    );
  }
}

const IDENTITIES = ['principals', 'namespaces', 'serviceAccounts', 'trustDomains'] as const;
const NOT_IDENTITIES = ['notPrincipals', 'notNamespaces', 'notServiceAccounts', 'notTrustDomains'] as const;

interface Identity {
  readonly at: FieldPath;
  readonly negative: boolean;
}

function identities({ from = [], when = [] }: Rule): Identity[] {
  const has = (source: Source, field: keyof Source): boolean => (source[field]?.length ?? 0) > 0;
  const sources = from.flatMap(({ source = {} }, i): Identity[] => {
    // With one condition on who they are, those without an identity are out already.
    const wanted = IDENTITIES.find((field) => has(source, field));
    if (wanted !== undefined) return [{ at: ['from', i, 'source', wanted], negative: false }];
    const refused = NOT_IDENTITIES.find((field) => has(source, field));
    return refused === undefined ? [] : [{ at: ['from', i, 'source', refused], negative: true }];
  });
  const conditions = when.flatMap(({ key, values = [] }, i): Identity[] =>
    key === 'source.principal' || key === 'source.namespace' ? [{ at: ['when', i, 'key'], negative: values.length === 0 }] : [],
  );
  return [...sources, ...conditions];
}

function checkPrincipals(model: AnalysisModel, policy: Policy, report: ReportFinding): void {
  const action = actionOf(policy);
  if (isAttached(policy) || (action !== 'ALLOW' && action !== 'DENY')) return;
  for (const [i, rule] of (policy.spec.rules ?? []).entries()) {
    for (const { at, negative } of identities(rule ?? {})) {
      const place = weakest(model, policy, rule);
      // Plain text has no identity: what asks for one does not hold, what refuses one does.
      const opens = place.mode === 'PERMISSIVE' && (action === 'DENY') !== negative;
      if (place.mode !== 'DISABLE' && !opens) continue;
      const effect = place.mode === 'DISABLE' ? 'nobody has an identity there' : 'who comes without TLS has no identity, and passes by it';
      const related = place.by === undefined ? [] : [{ ...place.by, note: `mutual TLS is ${place.mode} here` }];
      report(
        'FL0305',
        policy,
        ['spec', 'rules', i, ...at],
        { field: String(at.at(-1)), mode: place.mode, effect },
        { atKey: true, related },
      );
    }
  }
}

/** The least that mutual TLS is for the workloads of a policy. */
function weakest(model: AnalysisModel, policy: Policy, { to = [] }: Rule): ReturnType<typeof effectiveMtls> {
  const named = to.flatMap(({ operation }) => operation?.ports ?? []).map(Number);
  const { namespace } = policy.metadata;
  const labels = workloadsUnder(model, policy).slice(0, 20);
  const targets = labels.length > 0 ? labels : [{ namespace, labels: selectorOf(policy) }];
  const modes = targets.flatMap((workload) => {
    const own = named.length > 0 ? named : 'spec' in workload ? workloadPorts(model, workload).map(({ target }) => target) : [];
    return [...(own.length > 0 ? own : [undefined])].map((port) => effectiveMtls(model, workload.namespace, workload.labels, port));
  });
  return modes.find(({ mode }) => mode === 'DISABLE') ?? modes.find(({ mode }) => mode === 'PERMISSIVE') ?? modes[0]!;
}
