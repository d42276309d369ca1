/**
 * A CA's keys and state in a Secret, so that several pods are one CA. Every write names the version that it is for: of two that change the CA at
 * once, one is told so (409) and has changed nothing. Needs get and update of the Secret, and list and watch by its name.
 */
import { FairleadError } from '../../../src/errors.ts';
import { ApiStatusError } from '../../../src/kubernetes/api-error.ts';
import type { ApiClient } from '../../../src/kubernetes/client.ts';

/** Text by name of file in the CA's directory: `state.json`, `keys/….pem`, and so on. */
export type CaFiles = ReadonlyMap<string, string>;

export interface SharedFiles {
  files: CaFiles;
  /** Grows with each change of the Secret. https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions */
  version: bigint;
  /** The Secret as it was read. */
  object: SecretObject;
}

interface SecretObject {
  metadata: { name: string; namespace: string; resourceVersion?: string };
  data?: Record<string, string>;
}

export interface StateSecret {
  /** `NAMESPACE/NAME`. */
  readonly name: string;
  /** Throws E_CA_MISSING when there is no such Secret, and as `ApiClient.request`. */
  read(): Promise<SharedFiles>;
  /** Replaces all files. Throws ApiStatusError 409 when somebody else was faster, and as `read`. */
  write(before: SharedFiles, files: CaFiles): Promise<SharedFiles>;
}

const FILE = /^(?:state\.json|tokens\.json|issued\.json|policy\.yaml|keys\/[a-z0-9-]+\.pem)$/;
/** A Secret's keys have no slashes. */
const keyOf = (file: string): string => file.replace('/', '.');
const fileOf = (key: string): string => key.replace(/^keys\./, 'keys/');

export const isShared = (file: string): boolean => FILE.test(file);

/** The files in a Secret; what else is in it is not looked at. */
export function filesIn(object: SecretObject): SharedFiles {
  const files = new Map<string, string>();
  for (const [key, value] of Object.entries(object.data ?? {}))
    if (isShared(fileOf(key))) files.set(fileOf(key), Buffer.from(value, 'base64').toString('utf8'));
  return { files, version: BigInt(object.metadata.resourceVersion ?? 0), object };
}

export const stateSecretPath = (namespace: string): string => `/api/v1/namespaces/${namespace}/secrets`;

export function openStateSecret(client: ApiClient, namespace: string, name: string): StateSecret {
  const path = `${stateSecretPath(namespace)}/${name}`;
  const asked = async (more: Parameters<ApiClient['request']>[1]): Promise<SharedFiles> => {
    try {
      return filesIn((await client.request(path, more)) as SecretObject);
    } catch (error) {
      if (!(error instanceof ApiStatusError) || error.status !== 404) throw error;
      throw new FairleadError('E_CA_MISSING', `there is no Secret ${namespace}/${name} for the CA’s keys and state`, {
        next: `Make it: kubectl create secret generic ${name} --namespace ${namespace}`,
      });
    }
  };
  return {
    name: `${namespace}/${name}`,
    read: () => asked({}),
    write({ object }, files) {
      const others = Object.entries(object.data ?? {}).filter(([key]) => !isShared(fileOf(key)));
      const mine = [...files].map(([file, text]) => [keyOf(file), Buffer.from(text, 'utf8').toString('base64')]);
      return asked({ method: 'PUT', body: { ...object, data: Object.fromEntries([...others, ...mine]) } });
    },
  };
}
