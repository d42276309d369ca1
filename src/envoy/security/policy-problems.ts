import type { AuthorizationPolicy } from '../../config/kinds/security.ts';
import type { FieldPath, Resource } from '../../config/resource.ts';
import type { Problem } from '../../errors.ts';
import { EXCLUDED_PORTS, INCLUDED_PORTS, isCapturedPort } from '../../mesh/captured-ports.ts';
import { problemAt } from '../../mesh/problem.ts';
import { isHttp, parseProtocol } from '../../mesh/protocol.ts';
import { authorizationPolicies, isDryRun } from '../../mesh/security/authorization-policies.ts';
import { effectiveMtls, isNamespaceWide } from '../../mesh/security/peer-authentication.ts';
import { jwtRules } from '../../mesh/security/request-authentications.ts';
import type { Interception, Mesh, Protocol, ProxyScope } from '../../mesh/types.ts';
import { destinationCondition, operationConditions, sourceCondition } from './conditions.ts';
import { findProvider } from './ext-authz-target.ts';
import { hasUsableKey } from './jwks.ts';

type Policy = Resource<AuthorizationPolicy>;

const isTcp = (protocol: Protocol): boolean => !isHttp(protocol) && protocol !== 'UDP' && protocol !== 'detected';

/** True when the proxy takes connections that it does not look into. */
function hasTcpPorts(scope: ProxyScope): boolean {
  if (scope.proxy.type === 'router') {
    const servers = scope.gateways.flatMap((g) => g.spec.servers ?? []);
    return servers.some((s) => s.tls?.mode === 'PASSTHROUGH' || isTcp(parseProtocol(s.port.protocol)));
  }
  if (scope.ingress) return scope.ingress.some((i) => isTcp(parseProtocol(i.port.protocol)));
  return scope.instances.some((i) => isTcp(i.port.protocol));
}

function customProblems(mesh: Mesh, scope: ProxyScope, policies: readonly Policy[]): Problem[] {
  if (policies.length === 0) return [];
  const found = findProvider(mesh, scope, policies);
  const text =
    typeof found === 'string'
      ? {
          rule: 'authorization/provider',
          message: `${found}: what the policy matches is denied`,
          hint: 'declare the provider in the mesh’s extensionProviders, and its service as a Service or ServiceEntry',
        }
      : found.provider.kind === 'http' && hasTcpPorts(scope)
        ? {
            rule: 'authorization/http-provider-on-tcp',
            message: `provider ${found.provider.name} is asked about HTTP requests only: connections to the TCP ports of ${scope.proxy.name}.${scope.proxy.namespace} pass without it`,
            hint: 'use envoyExtAuthzGrpc, which is asked about connections too, or deny these ports',
          }
        : undefined;
  if (text === undefined) return [];
  return policies.map((policy) => problemAt(policy, ['spec', 'provider', 'name'], { severity: 'warning', ...text }));
}

/** Where a policy has a value that Envoy has no matcher for. */
function inexpressible({ metadata, spec }: Policy): FieldPath[] {
  const out: FieldPath[] = [];
  const scope = { namespace: metadata.namespace, trustDomains: [] };
  for (const [i, rule] of (spec.rules ?? []).entries()) {
    for (const [j, { operation = {} }] of (rule.to ?? []).entries()) {
      for (const field of ['paths', 'notPaths'] as const) {
        for (const [k, value] of (operation[field] ?? []).entries()) {
          const fine = operationConditions({ paths: [value] }).every((c) => c.values.length === 0 || c.match(c.values) !== undefined);
          if (!fine) out.push(['spec', 'rules', i, 'to', j, 'operation', field, k]);
        }
      }
    }
    for (const [j, when] of (rule.when ?? []).entries()) {
      const condition = destinationCondition(when) ?? sourceCondition(when, scope);
      if (condition === undefined || condition.match(['x']) === undefined) out.push(['spec', 'rules', i, 'when', j, 'key']);
    }
  }
  return out;
}

function valueProblems(policy: Policy): Problem[] {
  const { action = 'ALLOW' } = policy.spec;
  const effect = action === 'ALLOW' ? 'the rule is left out, and allows nothing' : `the condition is left out: the rule holds without it`;
  return inexpressible(policy).map((path) =>
    problemAt(policy, path, {
      severity: 'warning',
      rule: 'authorization/value',
      message: `Envoy has no matcher for it; ${effect}`,
      hint: 'a path template begins with / and has no empty segments; keys are written as request.headers[name] and request.auth.claims[a][b]',
    }),
  );
}

function tokenProblems(mesh: Mesh, scope: ProxyScope): Problem[] {
  return jwtRules(mesh, scope.proxy).flatMap(({ rule, resource, path }): Problem[] => {
    if (rule.jwks) {
      if (hasUsableKey(rule.jwks)) return [];
      const message = 'no key of the set can check tokens: all of them are refused';
      const hint = 'keys are RSA, EC (P-256, P-384, P-521) or Ed25519, with an `alg` that fits';
      return [problemAt(resource, [...path, 'jwks'], { severity: 'error', rule: 'authentication/no-key', message, hint })];
    }
    if (rule.jwksUri) return [];
    const message = `the keys of ${rule.issuer} would have to be found by OpenID discovery, which is not done: all of its tokens are refused`;
    const hint = 'name them: `jwksUri` is what /.well-known/openid-configuration of the issuer has as jwks_uri';
    return [problemAt(resource, path, { severity: 'error', rule: 'unsupported/RequestAuthentication.jwtRules.issuer', message, hint })];
  });
}

/**
 * Ports on which the workload is called past its proxy: without interception only a Sidecar's ingress ports are the proxy's, with it all that
 * the workload's annotations do not leave out.
 */
export function unguardedPorts({ proxy, ingress = [], instances }: ProxyScope): number[] {
  if (proxy.type !== 'sidecar') return [];
  const bound = new Set(ingress.map((i) => i.port.number));
  const guarded = (port: number): boolean => (proxy.interception === 'NONE' ? bound.has(port) : isCapturedPort(proxy.workload, port));
  const ports = instances.filter((i) => i.port.protocol !== 'UDP' && !guarded(i.targetPort)).map((i) => i.targetPort);
  return [...new Set(ports)].sort((a, b) => a - b);
}

/** A port that is left out of interception was left out by somebody, for this very workload; that nothing is intercepted at all may be news. */
function inFront(interception: Interception, hint: string, mild = false): Pick<Problem, 'severity' | 'hint'> {
  if (interception === 'NONE') return { severity: mild ? 'warning' : 'error', hint };
  return { severity: 'warning', hint: `its annotations leave the port out: see ${EXCLUDED_PORTS} and ${INCLUDED_PORTS}` };
}

function unguardedProblems(scope: ProxyScope, policies: readonly Resource[]): Problem[] {
  const ports = unguardedPorts(scope);
  if (ports.length === 0) return [];
  const { name, namespace, interception } = scope.proxy;
  return policies.map((policy) =>
    problemAt(policy, ['spec'], {
      ...inFront(
        interception,
        'put the proxy in front with a Sidecar whose ingress has the port, or run with --allow-unenforced to go on without',
      ),
      rule: `unsupported/${policy.kind}`,
      message: `nothing enforces it on port ${ports.join(', ')} of ${name}.${namespace}: calls go straight to the workload`,
    }),
  );
}

/**
 * Ports that should take mesh TLS alone, and on which the workload is called past its proxy. A policy for all of a namespace or the mesh is
 * meant for those that have a proxy in front (Istio's passes by pods without one); one that selects the workload is meant for it.
 */
function openPorts(mesh: Mesh, scope: ProxyScope): Problem[] {
  const { name, namespace, labels, interception } = scope.proxy;
  return unguardedPorts(scope).flatMap((port): Problem[] => {
    const { mode, by } = effectiveMtls(mesh.peerAuthentications.policiesFor(namespace, labels), port);
    if (mode !== 'STRICT' || by === undefined) return [];
    return [
      problemAt(by.resource, by.at, {
        ...inFront(interception, 'put the proxy in front with a Sidecar whose ingress has the port', isNamespaceWide(by.resource)),
        rule: 'unsupported/PeerAuthentication',
        message: `nothing enforces it on port ${port} of ${name}.${namespace}: calls go straight to the workload, plain text included`,
      }),
    ];
  });
}

/** What of the policies that a proxy is under cannot be carried out as written. */
export function securityProblems(mesh: Mesh, scope: ProxyScope): Problem[] {
  const { CUSTOM, ...others } = authorizationPolicies(mesh, scope.proxy);
  const all = [...CUSTOM, ...others.AUDIT, ...others.DENY, ...others.ALLOW];
  const acting = [...CUSTOM, ...others.DENY, ...others.ALLOW].filter((policy) => !isDryRun(policy));
  const tokens = new Set(jwtRules(mesh, scope.proxy).map(({ resource }) => resource));
  return [
    ...customProblems(mesh, scope, CUSTOM),
    ...all.flatMap(valueProblems),
    ...tokenProblems(mesh, scope),
    ...unguardedProblems(scope, [...acting, ...tokens]),
    ...openPorts(mesh, scope),
  ];
}
