/** An object for an API server, as it is applied. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  [field: string]: unknown;
}

/** What tells an object from all others. */
export interface ObjectRef {
  apiVersion: string;
  kind: string;
  namespace?: string | undefined;
  name: string;
}

export const refOf = ({ apiVersion, kind, metadata: { name, namespace } }: Manifest): ObjectRef => ({
  apiVersion,
  kind,
  ...(namespace === undefined ? {} : { namespace }),
  name,
});

/** `apps/Deployment fairlead-system/ingressgateway`: the group tells kinds of one name apart; the version may change. */
export function refKey({ apiVersion, kind, namespace, name }: ObjectRef): string {
  const group = apiVersion.includes('/') ? `${apiVersion.split('/')[0]}/` : '';
  return `${group}${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

/** As people read it: `Deployment fairlead-system/ingressgateway`. */
export const refText = ({ kind, namespace, name }: ObjectRef): string => `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
