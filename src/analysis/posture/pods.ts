import { workloadIdentity } from '../../pki/spiffe-id.ts';
import type { AnalysisModel } from '../model/analysis-model.ts';
import { fullName } from '../model/hosts.ts';
import { inMesh, isAmbientNamespace, isAmbientWorkload } from '../model/injection.ts';
import { effectiveMtls, type WorkloadPort, workloadPorts } from '../model/policy-scope.ts';
import type { Workload } from '../model/workloads.ts';
import type { Subject } from './subject.ts';
import { type PortPosture, referenceTo } from './types.ts';

/** Pods, and the templates that none of them was made from. */
export function podSubjects(model: AnalysisModel, trustDomain: string): Subject[] {
  return model.workloads.map((workload): Subject => {
    const { resource, namespace, labels, spec } = workload;
    const known = Map.groupBy(workloadPorts(model, workload), ({ target }) => target);
    const targets: [number | undefined, WorkloadPort[]][] = known.size === 0 ? [[undefined, []]] : [...known];
    const proxied = hasProxy(model, workload);
    const account = spec as { serviceAccountName?: string; serviceAccount?: string };
    return {
      resource,
      namespace,
      labels,
      identity: proxied
        ? workloadIdentity(trustDomain, namespace, account.serviceAccountName || account.serviceAccount || 'default')
        : undefined,
      ports: targets.map(([target, services]) => ({
        target,
        protocol: services[0]?.protocol,
        services: services.map(({ service, port }) => ({ resource: service, name: fullName(service.metadata), port })),
        mtls: proxied ? podMtls(model, workload, target) : { mode: 'none', references: [referenceTo(resource, ['metadata', 'name'])] },
        plainClients: undefined,
      })),
    };
  });
}

function hasProxy(model: AnalysisModel, workload: Workload): boolean {
  // Without its Namespace object nobody can tell whether a template is injected.
  const ambient = isAmbientWorkload(workload) || isAmbientNamespace(model.namespaces.get(workload.namespace)?.metadata.labels);
  return ambient || inMesh(workload, model.namespaces) || (!workload.isPod && !model.namespaces.has(workload.namespace));
}

function podMtls(model: AnalysisModel, { namespace, labels }: Workload, target: number | undefined): PortPosture['mtls'] {
  const { mode, by } = effectiveMtls(model, namespace, labels, target);
  return { mode, references: by === undefined ? [] : [referenceTo(by.resource, by.at)] };
}
