import type { FieldPath } from '../../config/resource.ts';
import type { Analyzer } from '../analyzer.ts';

const BOUND = ['istio.io/WaypointBound'];
const ROUTES = ['Accepted', 'Programmed', 'ResolvedRefs'];
const API = 'gateway.networking.k8s.io';

const TYPES: Readonly<Record<string, readonly string[]>> = {
  Service: BOUND,
  ServiceEntry: BOUND,
  WorkloadEntry: BOUND,
  AuthorizationPolicy: ['ZtunnelAccepted', 'WaypointAccepted'],
  [`${API}/Gateway`]: ROUTES,
  [`${API}/HTTPRoute`]: ROUTES,
  [`${API}/GRPCRoute`]: ROUTES,
};

interface Condition {
  type?: unknown;
  status?: unknown;
  reason?: unknown;
  message?: unknown;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** What controllers say has gone wrong with an object. */
export const statusConditions: Analyzer = {
  name: 'status-conditions',
  codes: ['IST0171'],
  run(model, report) {
    for (const [kind, types] of Object.entries(TYPES)) {
      for (const resource of model.of(kind)) {
        const status = resource.status as { conditions?: unknown; parents?: unknown } | null | undefined;
        if (status === null || typeof status !== 'object') continue;
        const places: { conditions: unknown; at: FieldPath }[] = kind.endsWith('Route')
          ? list(status.parents).map((parent, i) => ({
              conditions: (parent as { conditions?: unknown } | null)?.conditions,
              at: ['status', 'parents', i, 'conditions'],
            }))
          : [{ conditions: status.conditions, at: ['status', 'conditions'] }];
        for (const { conditions, at } of places) {
          for (const [i, value] of list(conditions).entries()) {
            const { type, status: state, reason, message } = (value ?? {}) as Condition;
            const partly = type === 'WaypointAccepted' && reason === 'PartiallyInvalid';
            if (!types.includes(text(type)) || (state !== 'False' && !partly)) continue;
            report('IST0171', resource, [...at, i], { conditionType: text(type), reason: text(reason), message: text(message) });
          }
        }
      }
    }
  },
};
