import type { PeerAuthentication } from '../kinds/security.ts';
import type { Resource } from '../resource.ts';
import type { Report } from '../validation/report.ts';
import { checkSelector } from './common.ts';
import { isPort } from './names.ts';

/** Istio's validation of PeerAuthentications (IST0106). */
export function checkPeerAuthentication(resource: Resource, report: Report): void {
  const { selector, portLevelMtls } = resource.spec as PeerAuthentication;
  if (selector) checkSelector(selector.matchLabels, ['spec', 'selector', 'matchLabels'], report);
  if (portLevelMtls === undefined) return;
  const path = ['spec', 'portLevelMtls'];
  if (Object.keys(selector?.matchLabels ?? {}).length === 0) {
    report.error(path, 'semantic/selector', '`portLevelMtls` needs a `selector` with labels', { atKey: true });
  }
  for (const port of Object.keys(portLevelMtls)) {
    if (!isPort(Number(port))) report.error([...path, port], 'semantic/port', `a port is 1 to 65535, not ${port}`, { atKey: true });
  }
}
