/**
 * Checks of applications that the kubelet has the agent make, because it has no certificate of the mesh. Paths, the variable and its form
 * are Istio's. https://istio.io/latest/docs/ops/configuration/mesh/app-health-check/
 */

/** Environment variable of the sidecar: JSON, an `AppProbe` by the path on which the agent answers. */
export const APP_PROBES = 'ISTIO_KUBE_APP_PROBERS';
/** Environment variable of the sidecar: the pod's address, at which the kubelet would have asked. */
export const INSTANCE_IP = 'INSTANCE_IP';

/** As the container has it, with ports by number. One of the three. */
export interface AppProbe {
  httpGet?: { path?: string; port: number; scheme?: string; httpHeaders?: readonly { name: string; value: string }[] };
  tcpSocket?: { port: number };
  grpc?: { port: number; service?: string };
  /** 1 unless it is said, as in Kubernetes. */
  timeoutSeconds?: number;
}

export type AppProbes = Readonly<Record<string, AppProbe>>;
