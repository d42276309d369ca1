import { isExportedTo } from '../mesh/export-to.ts';
import type { Mesh, Service } from '../mesh/types.ts';
import { clientGroups, proxyName } from './clients.ts';
import { originAt } from './origin-at.ts';
import type { Visibility } from './types.ts';

/** Who sees a service: by its exportTo, and by the Sidecars of those who could. */
export function visibilityOf(mesh: Mesh, service: Service): Visibility {
  const seen = new Set<string>();
  const hidden: Visibility['hiddenFrom'][number][] = [];
  for (const { namespace, proxies } of clientGroups(mesh)) {
    const [first] = proxies;
    if (first === undefined) continue;
    const scope = mesh.scope(first);
    if (scope.serviceByHost(service.host)?.namespace === service.namespace) {
      seen.add(namespace);
      continue;
    }
    const workloads = proxies.map(proxyName);
    const { sidecar } = scope;
    const other = scope.serviceByHost(service.host);
    if (!isExportedTo(service.exportTo, namespace)) {
      hidden.push({
        namespace,
        workloads,
        why: `it is not exported to namespace ${namespace}`,
        by: originAt(service.resource, exportPath(service)),
      });
    } else if (other !== undefined) {
      hidden.push({ namespace, workloads, why: `${service.host} means another service there`, by: originAt(other.resource) });
    } else if (sidecar !== undefined) {
      hidden.push({ namespace, workloads, why: 'their Sidecar does not import it', by: originAt(sidecar, ['spec', 'egress']) });
    } else hidden.push({ namespace, workloads, why: 'the service that it stands for is not there' });
  }
  return { exportTo: service.exportTo, seenFrom: [...seen].sort(), hiddenFrom: hidden };
}

/** A Service says it by an annotation, a ServiceEntry by a field. */
const exportPath = ({ registry }: Service): (string | number)[] =>
  registry === 'Kubernetes' ? ['metadata', 'annotations', 'networking.istio.io/exportTo'] : ['spec', 'exportTo'];
