import type { KubernetesGateway, Listener } from '../../kinds/gateway-api.ts';
import type { FieldPath, Resource } from '../../resource.ts';
import { quote } from '../../validation/describe-value.ts';
import type { Report } from '../../validation/report.ts';
import { isDnsLabel } from '../names.ts';
import { checkHostname } from './hostname.ts';

/** What the Gateway API's own CRD refuses in a Gateway: https://gateway-api.sigs.k8s.io/reference/spec/#gateway */
export function checkApiGateway(resource: Resource, report: Report): void {
  const { listeners } = resource.spec as KubernetesGateway;
  const names = new Set<string>();
  for (const [i, listener] of listeners.entries()) {
    const path = ['spec', 'listeners', i];
    checkListener(listener, path, report);
    if (names.has(listener.name))
      report.error([...path, 'name'], 'semantic/duplicate-name', `the listener name ${quote(listener.name)} is there twice`);
    names.add(listener.name);
  }
}

function checkListener({ name, hostname, protocol, tls, allowedRoutes }: Listener, path: FieldPath, report: Report): void {
  if (!name.split('.').every(isDnsLabel)) report.error([...path, 'name'], 'semantic/name', `${quote(name)} is no name of a listener`);
  if (hostname) checkHostname(hostname, [...path, 'hostname'], report);
  const speaksTls = protocol === 'HTTPS' || protocol === 'TLS';
  if (tls && !speaksTls) report.error([...path, 'tls'], 'semantic/tls', `a listener of protocol ${protocol} has no TLS`, { atKey: true });
  if (!tls && speaksTls) report.error(path, 'semantic/tls', `a listener of protocol ${protocol} needs \`tls\``);
  const { from, selector } = allowedRoutes?.namespaces ?? {};
  if (from === 'Selector' && selector === undefined)
    report.error([...path, 'allowedRoutes', 'namespaces'], 'semantic/selector', '`from: Selector` needs a `selector`', { atKey: true });
}
