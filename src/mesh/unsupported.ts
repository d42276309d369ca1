import type { FieldPath, Resource } from '../config/resource.ts';
import { labelOf } from './labels.ts';
import { type ProblemText, problemAt, type Report } from './problem.ts';

type Finding = Omit<ProblemText, 'rule'> & { path?: FieldPath };
type Check = (resource: Resource) => Finding | undefined;

const notYet = 'what it would refuse is let through';
const run = 'run with --allow-unenforced to go on without it';

/** Kinds whose being ignored would open access: errors. */
const security: Readonly<Record<string, Check>> = {
  AuthorizationPolicy(resource) {
    const spec = resource.spec as { action?: string };
    if (labelOf(resource.metadata.annotations, 'istio.io/dry-run') === 'true' || spec.action === 'AUDIT') {
      return { severity: 'warning', message: 'authorization policies are not carried out yet, dry runs and audits included' };
    }
    return { severity: 'error', message: `authorization policies are not enforced yet: ${notYet}`, hint: run };
  },
  RequestAuthentication: () => ({ severity: 'error', message: `JWTs are not checked yet: ${notYet}`, hint: run }),
  PeerAuthentication(resource) {
    const spec = resource.spec as { mtls?: { mode?: string }; portLevelMtls?: Readonly<Record<string, { mode?: string } | undefined>> };
    const port = Object.entries(spec.portLevelMtls ?? {}).find(([, mtls]) => mtls?.mode === 'STRICT')?.[0];
    const path: FieldPath | undefined =
      spec.mtls?.mode === 'STRICT' ? ['spec', 'mtls', 'mode'] : port === undefined ? undefined : ['spec', 'portLevelMtls', port, 'mode'];
    return path && { severity: 'error', message: 'mode STRICT is not enforced yet: plain text is let through', hint: run, path };
  },
};

const ignored =
  (what: string): Check =>
  () => ({ severity: 'warning', message: `${what}; nothing acts on this resource yet` });

/** Kinds that change no one's access: warnings. */
const others: Readonly<Record<string, Check>> = {
  'networking.istio.io/EnvoyFilter': ignored('patches of Envoy config are not applied'),
  'networking.istio.io/ProxyConfig': ignored('settings of single proxies are not applied'),
  'networking.istio.io/WorkloadGroup': ignored('workloads do not register themselves'),
  'telemetry.istio.io/Telemetry': ignored('telemetry follows the MeshConfig alone'),
  'extensions.istio.io/WasmPlugin': ignored('WebAssembly is not run'),
  'extensions.istio.io/TrafficExtension': ignored('extensions are not run'),
};

/** Reports resources that are valid and that nothing carries out. */
export function reportUnsupported(resources: readonly Resource[], report: Report): void {
  for (const resource of resources) {
    const { group, kind } = resource;
    const key = `${group}/${kind}`;
    const check =
      group === 'security.istio.io' && Object.hasOwn(security, kind)
        ? security[kind]
        : Object.hasOwn(others, key)
          ? others[key]
          : gatewayApi(group, kind);
    const finding = check?.(resource);
    if (finding === undefined) continue;
    const { path = ['spec'], ...text } = finding;
    report(problemAt(resource, path, { ...text, rule: `unsupported/${kind}` }));
  }
}

function gatewayApi(group: string, kind: string): Check | undefined {
  return group === 'gateway.networking.k8s.io' ? ignored(`${kind} of the Gateway API is not supported`) : undefined;
}
