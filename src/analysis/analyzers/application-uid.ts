import type { FieldPath, Resource } from '../../config/resource.ts';
import type { Analyzer } from '../analyzer.ts';
import type { ReportFinding } from '../finding.ts';
import { isControlPlane } from '../model/control-plane.ts';
import { podWorkload, templateWorkload } from '../model/workloads.ts';

/** The user id of the proxy: what runs under it is not captured. */
const PROXY_UID = 1337;

/** Applications that run as the proxy's user. */
export const applicationUid: Analyzer = {
  name: 'application-uid',
  codes: ['IST0144'],
  run(model, report) {
    for (const kind of ['Pod', 'Deployment']) {
      for (const resource of model.of(kind)) if (!isControlPlane(resource.metadata.labels)) checkUser(resource, kind === 'Pod', report);
    }
  },
};

function checkUser(resource: Resource, isPod: boolean, report: ReportFinding): void {
  const workload = isPod ? podWorkload(resource) : templateWorkload(resource);
  if (workload === undefined) return;
  const at: FieldPath = isPod ? ['spec'] : ['spec', 'template', 'spec'];
  const { securityContext, containers = [] } = workload.spec;
  if (securityContext?.runAsUser === PROXY_UID) {
    report('IST0144', resource, [...at, 'securityContext', 'runAsUser']);
    return;
  }
  const index = containers.findIndex(
    ({ name, securityContext: own }) => name !== 'istio-proxy' && name !== 'istio-operator' && own?.runAsUser === PROXY_UID,
  );
  if (index !== -1) report('IST0144', resource, [...at, 'containers', index, 'securityContext', 'runAsUser']);
}
