/** What the model reads of Kubernetes' own objects. Their specs are Kubernetes' API; fields that are not named here are not looked at. */

export interface KubernetesServicePort {
  name?: string;
  port: number;
  targetPort?: number | string;
  protocol?: string;
  appProtocol?: string;
}

export interface KubernetesService {
  type?: string;
  clusterIP?: string;
  clusterIPs?: readonly string[];
  ports?: readonly KubernetesServicePort[];
  selector?: Readonly<Record<string, string>>;
  externalName?: string;
  internalTrafficPolicy?: string;
  trafficDistribution?: string;
  publishNotReadyAddresses?: boolean;
}

export interface PodSpec {
  containers?: readonly { name?: string; ports?: readonly { name?: string; containerPort: number; protocol?: string }[] }[];
  nodeName?: string;
  serviceAccountName?: string;
  serviceAccount?: string;
}

export interface PodStatus {
  phase?: string;
  podIP?: string;
  podIPs?: readonly { ip?: string }[];
  conditions?: readonly { type?: string; status?: string }[];
}

export interface ObjectReference {
  kind?: string;
  name?: string;
  namespace?: string;
}

export interface EndpointSlice {
  addressType?: string;
  endpoints?: readonly {
    addresses?: readonly string[];
    conditions?: { ready?: boolean | null; serving?: boolean | null; terminating?: boolean | null };
    targetRef?: ObjectReference;
    nodeName?: string;
  }[];
  ports?: readonly { name?: string; port?: number; protocol?: string }[];
}

interface EndpointAddress {
  ip: string;
  nodeName?: string;
  targetRef?: ObjectReference;
}

export interface Endpoints {
  subsets?: readonly {
    addresses?: readonly EndpointAddress[];
    notReadyAddresses?: readonly EndpointAddress[];
    ports?: readonly { name?: string; port: number; protocol?: string }[];
  }[];
}

/** Deployment, StatefulSet, DaemonSet, ReplicaSet, Job. */
export interface PodTemplateOwner {
  template?: {
    metadata?: { labels?: Readonly<Record<string, string>>; annotations?: Readonly<Record<string, string>> };
    spec?: PodSpec;
  };
}
