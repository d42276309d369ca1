import type { KubernetesService } from '../../config/kinds/kubernetes.ts';
import { kubernetesProtocol } from '../../mesh/protocol.ts';
import type { Analyzer } from '../analyzer.ts';
import { isControlPlane, isManagedGateway } from '../model/control-plane.ts';

/** Service ports that do not tell their protocol. */
export const servicePortNames: Analyzer = {
  name: 'service-port-names',
  codes: ['IST0118', 'IST0150'],
  run(model, report) {
    for (const resource of model.of<KubernetesService>('Service')) {
      const { labels } = resource.metadata;
      if (isControlPlane(labels) || isManagedGateway(labels)) continue;
      const external = resource.spec.type === 'ExternalName';
      for (const [i, port] of (resource.spec.ports ?? []).entries()) {
        const { name = '', targetPort = 0 } = port;
        if (kubernetesProtocol(port) !== 'detected' && !(external && name === 'tcp')) continue;
        const at = ['spec', 'ports', i, name === '' ? 'port' : 'name'];
        if (external) report('IST0150', resource, at);
        else report('IST0118', resource, at, { portName: name, port: port.port, targetPort: String(targetPort) });
      }
    }
  },
};
