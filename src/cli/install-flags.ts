/** What the commands that install have in common: settings, and which cluster. */
import * as Flags from '@oclif/core/flags';
import { FairleadError } from '../errors.ts';
import type { ReadSettings } from '../install/settings/read-settings.ts';
import type { SettingsFile } from '../install/settings/schema.ts';
import type { ApiClient } from '../kubernetes/client.ts';
import { namespaceName } from './flags.ts';

export const DEFAULT_NAMESPACE = 'fairlead-system';

/** A label's value, and a part of names: short enough for both. */
const REVISION = /^[a-z0-9](?:[-a-z0-9]{0,30}[a-z0-9])?$/;

export const settingsFlags = {
  file: Flags.string({
    char: 'f',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'FILE',
    description: 'settings, - for standard input; later ones go before earlier ones',
  }),
  set: Flags.string({
    char: 's',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'FIELD=VALUE',
    description: 'one setting: gateways.ingressgateway.replicas.max=3; null takes it away',
  }),
  profile: Flags.string({ helpValue: 'NAME', description: 'what the settings begin with: see `manifest profiles` [default: default]' }),
};

export const namespaceFlag = {
  namespace: Flags.string({
    char: 'n',
    helpValue: 'NAMESPACE',
    description: `where it is installed [default: ${DEFAULT_NAMESPACE}]`,
    parse: namespaceName,
  }),
};

export const revisionFlag = {
  revision: Flags.string({
    char: 'r',
    helpValue: 'NAME',
    description:
      'gateways and permissions of their own beside the installation that has no revision, whose CA, definitions and MeshConfig they share',
    parse: async (typed) => {
      if (REVISION.test(typed) && typed !== 'default') return typed;
      throw new FairleadError('E_USAGE', `--revision cannot be ${JSON.stringify(typed)}`, {
        next: 'A revision is 1 to 32 lower-case letters, digits and `-`, as 1-2-0 or canary; `default` is the one without a name.',
      });
    },
  }),
};

export const contextFlag = {
  context: Flags.string({ helpValue: 'NAME', description: 'the kubeconfig’s context [default: its current one]' }),
};

export interface SettingsFlags {
  file?: string[] | undefined;
  set?: string[] | undefined;
  profile?: string | undefined;
  namespace?: string | undefined;
  revision?: string | undefined;
}

/** Where the installation is that the flags mean. Throws as `settingsFrom`. */
export async function namespaceFrom(flags: SettingsFlags, version: string): Promise<string> {
  return flags.namespace ?? (await settingsFrom(flags, version, undefined, true)).settings.namespace;
}

/** Reads what the flags name. Throws E_USAGE, E_CONFIG_INVALID. @param stored what an upgrade begins with @param partial whether that is still to come */
export async function settingsFrom(flags: SettingsFlags, version: string, stored?: SettingsFile, partial?: boolean): Promise<ReadSettings> {
  const [{ pathSource }, { readSettings }] = await Promise.all([
    import('../config/sources/path-source.ts'),
    import('../install/settings/read-settings.ts'),
  ]);
  const { files, problems } = await pathSource(flags.file ?? []).read();
  if (problems.length > 0) throw new FairleadError('E_CONFIG_UNREADABLE', 'the settings cannot be read', { problems });
  const named = (name: string, value: string | undefined): string[] => (value === undefined ? [] : [`${name}=${value}`]);
  const sets = [...named('profile', flags.profile), ...(flags.set ?? []), ...named('namespace', flags.namespace)];
  return readSettings({ stored, files, sets, revision: flags.revision ?? '', version, partial });
}

/** A client of the cluster that is named. Throws E_KUBECONFIG. */
export async function openCluster(context: string | undefined): Promise<ApiClient> {
  const [{ openKubeConfig }, { createApiClient }] = await Promise.all([
    import('../kubernetes/kube-config.ts'),
    import('../kubernetes/client.ts'),
  ]);
  return createApiClient(openKubeConfig(context));
}

/** Gives a cluster to `work` and ends its connections after it. What the API server refuses without another word for it is E_INSTALL_REFUSED. */
export async function withCluster<T>(context: string | undefined, work: (client: ApiClient) => Promise<T>): Promise<T> {
  const client = await openCluster(context);
  try {
    return await work(client);
  } catch (error) {
    if ((error as Error).name !== 'ApiStatusError') throw error;
    throw new FairleadError('E_INSTALL_REFUSED', (error as Error).message, {
      next: 'If anything was done before that, it is in the inventory: `fairlead upgrade` goes on from there.',
      cause: error,
    });
  } finally {
    client.close();
  }
}
