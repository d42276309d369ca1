/** What one agent's proxies have taken, as it tells the others: a bounded text, however large the mesh is. */
import type { Problem } from '../../src/errors.ts';
import type { ConfigState, ProxySync } from '../controller.ts';
import { problemOrigin } from './problem-origin.ts';

/** A proxy of an agent. */
export interface SummaryProxy {
  readonly name: string;
  readonly namespace: string;
  readonly type: 'sidecar' | 'router';
  /** Which of `digests` it has; undefined: nothing yet, or nobody knows. */
  readonly has?: number;
  /** Proxies that no Pod and no WorkloadEntry stands for. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** Something that an agent or one of its proxies does not take. */
export interface Refusal {
  /** `NAME.NAMESPACE` of the proxy; undefined: the configuration is refused as a whole, for all of the agent's proxies. */
  readonly proxy?: string;
  /** `VirtualService shop/reviews`, where it is known. */
  readonly origin?: string;
  readonly path?: string;
  readonly rule: string;
  readonly message: string;
}

/** What is in the ConfigMap of an agent. */
export interface AgentSummary {
  readonly format: 1;
  /** Fairlead's. */
  readonly version: string;
  /** States of the configuration that proxies have, see digest.ts. */
  readonly digests: readonly string[];
  readonly proxies: readonly SummaryProxy[];
  readonly refusals: readonly Refusal[];
  /** Secrets with certificates that listeners of the Gateway API name and that its gateways have, by the name that listeners have for them. */
  readonly certificates: readonly string[];
  /** Proxies, refusals and certificates that had no room. */
  readonly leftOut: number;
}

/** A ConfigMap holds 1 MiB; names may have 253 characters. */
const MOST_PROXIES = 1000;
const MOST_REFUSALS = 100;
const MOST_DIGESTS = 16;
const MOST_CERTIFICATES = 300;
const LONGEST_MESSAGE = 400;

/** What an agent has to tell. */
export interface SummaryParts {
  readonly version: string;
  readonly proxies: readonly Pick<ProxySync, 'node' | 'refused'>[];
  readonly config: Pick<ConfigState, 'state' | 'problems'>;
  /** The state that a proxy has, by its id. */
  readonly taken: ReadonlyMap<string, string>;
  /** See `AgentSummary`; of agents without gateways none. */
  readonly certificates: readonly string[];
}

function refusalOf(problem: Problem, proxy: string | undefined): Refusal {
  const { path, rule, message } = problem;
  const origin = problemOrigin(problem);
  return {
    ...(proxy !== undefined && { proxy }),
    ...(origin !== undefined && { origin }),
    ...(path !== undefined && { path }),
    rule,
    message: message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE - 1)}…` : message,
  };
}

/** A data plane that is away refuses nothing. */
const isRefusal = ({ severity, rule }: Problem): boolean => severity === 'error' && rule !== 'engine/unavailable';

/** The summary; the same text for the same state. */
export function summarize({ version, proxies, config, taken, certificates }: SummaryParts): AgentSummary {
  const sorted = [...proxies].sort((a, b) => (a.node.id < b.node.id ? -1 : 1));
  const digests = [...new Set(sorted.flatMap(({ node }) => taken.get(node.id) ?? []))].slice(0, MOST_DIGESTS);
  const listed = sorted.slice(0, MOST_PROXIES).map(({ node }): SummaryProxy => {
    const has = digests.indexOf(taken.get(node.id) ?? '');
    return {
      name: node.name,
      namespace: node.namespace,
      type: node.type,
      ...(has >= 0 && { has }),
      ...(node.workload.kind === 'implied' && { labels: node.labels }),
    };
  });
  const refused = sorted.flatMap(({ node, refused }) =>
    (refused?.problems ?? []).filter(isRefusal).map((p) => refusalOf(p, `${node.name}.${node.namespace}`)),
  );
  const whole = config.state === 'refused' ? config.problems.filter((p) => p.severity === 'error').map((p) => refusalOf(p, undefined)) : [];
  const refusals = [...whole, ...refused];
  return {
    format: 1,
    version,
    digests,
    proxies: listed,
    refusals: refusals.slice(0, MOST_REFUSALS),
    certificates: certificates.slice(0, MOST_CERTIFICATES),
    leftOut: over(sorted, MOST_PROXIES) + over(refusals, MOST_REFUSALS) + over(certificates, MOST_CERTIFICATES),
  };
}

const over = (list: readonly unknown[], most: number): number => Math.max(0, list.length - most);

/** Reads what another agent wrote, perhaps of another version: undefined for what cannot be one. */
export function readSummary(text: string | undefined): AgentSummary | undefined {
  try {
    const { format, version, digests, proxies, refusals, certificates, leftOut } = JSON.parse(text ?? '') as Partial<AgentSummary>;
    if (format !== 1 || !Array.isArray(digests) || !Array.isArray(proxies) || !Array.isArray(refusals)) return undefined;
    const named = proxies.filter((p: Partial<SummaryProxy> | null) => typeof p?.name === 'string' && typeof p.namespace === 'string');
    const said = refusals.filter((r: Partial<Refusal> | null) => typeof r?.message === 'string' && typeof r.rule === 'string');
    return {
      format,
      version: String(version),
      digests: digests.map(String),
      proxies: named,
      refusals: said,
      certificates: Array.isArray(certificates) ? certificates.map(String) : [],
      leftOut: Number(leftOut) || 0,
    };
  } catch {
    return undefined;
  }
}
