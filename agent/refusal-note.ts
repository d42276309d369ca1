/** From a request or connection that was refused to the policy that refused it, and its line. */
import { basename } from 'node:path';
import type { FieldPath, Resource } from '../src/config/resource.ts';
import { BAD_CUSTOM_SUFFIX, policyOfName } from '../src/envoy/security/policy-name.ts';
import { authorizationPolicies, isDryRun } from '../src/mesh/security/authorization-policies.ts';
import { effectiveMtls } from '../src/mesh/security/peer-authentication.ts';
import { jwtRules } from '../src/mesh/security/request-authentications.ts';
import type { Mesh, ProxyNode } from '../src/mesh/types.ts';
import type { RequestRecord } from '../src/telemetry/request-record.ts';
import { tlsFailureText } from '../src/telemetry/tls-failure.ts';
import type { Controller } from './controller.ts';

export interface RefusalNote {
  /** `denied: no rule of payments allows it`. */
  text: string;
  /** `payments.yaml:46`. */
  where?: string;
}

/** What refused a record of a running agent. Called for every request: those that were simply answered are passed over first. */
export function refusalOf(record: RequestRecord, controller: Pick<Controller, 'mesh' | 'proxies'>): RefusalNote | undefined {
  const answered = record.details === 'via_upstream' && record.flags === '-' && record.terminationDetails === '';
  if (answered && !record.downstreamTransportFailure) return undefined;
  const proxy = controller.proxies().find(({ node }) => `${node.name}.${node.namespace}` === record.proxy)?.node;
  return refusalNote(record, controller.mesh(), proxy);
}

/** Undefined for what was not refused by a policy or for its TLS. */
export function refusalNote(record: RequestRecord, mesh: Mesh | undefined, proxy: ProxyNode | undefined): RefusalNote | undefined {
  if (record.downstreamTransportFailure) return noTls(record, mesh, proxy);
  if (record.flags === 'NR' && record.protocol === 'TCP') return noChain(record, mesh, proxy);
  if (record.upstreamTransportFailure && record.flags.split(',').includes('UF'))
    return { text: `TLS to ${record.upstreamHost || 'the upstream'} failed: ${tlsFailureText(record.upstreamTransportFailure)}` };
  const why = `${record.details} ${record.terminationDetails}`;
  const [, policy] = /rbac_access_denied_matched_policy\[(.*)\]/.exec(why) ?? [];
  if (policy !== undefined) return denied(policy, mesh, proxy);
  const [, token] = /jwt_authn_access_denied\{(.*)\}/.exec(why) ?? [];
  if (token !== undefined) {
    const rules = mesh && proxy ? jwtRules(mesh, proxy) : [];
    return { text: `denied: ${token.replaceAll('_', ' ')}`, ...linesOf(rules.map(({ resource, path }) => ({ resource, path }))) };
  }
  if (/\bext_authz_(?:denied|error)/.test(why)) {
    const custom = mesh && proxy ? authorizationPolicies(mesh, proxy).CUSTOM : [];
    const provider = custom[0]?.spec.provider?.name;
    const who = provider === undefined ? 'external authorization' : `the authorization service ${provider}`;
    return {
      text: why.includes('ext_authz_error') ? `denied: ${who} did not answer` : `denied by ${who}`,
      ...linesOf(custom.map((resource) => ({ resource }))),
    };
  }
  return undefined;
}

/** @param name of the policy as filters have it; `none` where policies allow others and nothing denies */
function denied(name: string, mesh: Mesh | undefined, proxy: ProxyNode | undefined): RefusalNote {
  if (name === 'none') {
    const allow = mesh && proxy ? authorizationPolicies(mesh, proxy).ALLOW.filter((policy) => !isDryRun(policy)) : [];
    const names = allow.map(({ metadata }) => metadata.name).join(', ');
    return { text: `denied: no rule ${names === '' ? '' : `of ${names} `}allows it`, ...linesOf(allow.map((resource) => ({ resource }))) };
  }
  const origin = mesh && policyOfName(mesh, name);
  if (origin === undefined) return { text: `denied by ${name}` };
  const { resource, path } = origin;
  const rule = path.length > 1 ? ` rule ${Number(path.at(-1)) + 1}` : '';
  const unasked = name.includes(BAD_CUSTOM_SUFFIX) ? ', whose provider cannot be asked' : '';
  return { text: `denied by ${resource.metadata.name}${rule}${unasked}`, ...linesOf([origin]) };
}

/** A connection that no filter chain takes. On a workload's own port under STRICT only plain text can be that. */
function noChain(record: RequestRecord, mesh: Mesh | undefined, proxy: ProxyNode | undefined): RefusalNote | undefined {
  const required = record.direction === 'inbound' && record.sni === '' ? strictBy(record, mesh, proxy) : undefined;
  if (required) return { text: 'refused: it is plain text, and mutual TLS is required (STRICT)', ...required };
  if (record.sni !== '') return { text: `refused: nothing here is for the server name ${record.sni}` };
  return undefined;
}

function noTls(record: RequestRecord, mesh: Mesh | undefined, proxy: ProxyNode | undefined): RefusalNote {
  const required = record.direction === 'inbound' ? strictBy(record, mesh, proxy) : undefined;
  return { text: `refused: ${tlsFailureText(record.downstreamTransportFailure ?? '')}`, ...required };
}

/** The line that asks for mutual TLS on the port that was connected to; nothing where it is not required. */
function strictBy(record: RequestRecord, mesh: Mesh | undefined, proxy: ProxyNode | undefined): Pick<RefusalNote, 'where'> | undefined {
  if (!mesh || !proxy) return undefined;
  const port = Number(record.downstreamLocalAddress.slice(record.downstreamLocalAddress.lastIndexOf(':') + 1));
  const { mode, by } = effectiveMtls(mesh.peerAuthentications.policiesFor(proxy.namespace, proxy.labels), port);
  return mode === 'STRICT' ? linesOf(by ? [{ resource: by.resource, path: by.at }] : []) : undefined;
}

function linesOf(origins: readonly { resource: Resource; path?: FieldPath }[]): Pick<RefusalNote, 'where'> {
  const lines = origins.map(({ resource, path }) => {
    const { file, line } = resource.source.positionOf(path ?? ['metadata', 'name']);
    return line === 0 ? file : `${basename(file)}:${line}`;
  });
  return lines.length === 0 ? {} : { where: [...new Set(lines)].join(', ') };
}
