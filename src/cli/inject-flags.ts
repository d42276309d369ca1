/** What the commands that inject have in common: the settings of an installation, and the roots of its CA. */
import { readFile } from 'node:fs/promises';
import * as Flags from '@oclif/core/flags';
import { FairleadError } from '../errors.ts';
import type { InjectSettings } from '../install/inject/settings.ts';
import type { Settings } from '../install/settings/resolve.ts';
import type { ApiClient } from '../kubernetes/client.ts';
import { namespaceName } from './flags.ts';
import { DEFAULT_NAMESPACE, openCluster, revisionFlag, settingsFlags, settingsFrom } from './install-flags.ts';

export const injectFlags = {
  settings: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'FILE',
    description: 'settings of the installation, as for `install -f`; later ones go before earlier ones',
  }),
  set: settingsFlags.set,
  'fairlead-namespace': Flags.string({
    helpValue: 'NAMESPACE',
    description: `where Fairlead is installed [default: ${DEFAULT_NAMESPACE}]`,
    parse: namespaceName,
  }),
  revision: { ...revisionFlag.revision, description: 'the installation of this revision' },
  'ca-roots': Flags.string({ helpValue: 'FILE', description: 'the CA’s roots (PEM), as `fairlead ca bundle` prints them' }),
};

export interface InjectFlags {
  settings?: string[] | undefined;
  set?: string[] | undefined;
  'fairlead-namespace'?: string | undefined;
  revision?: string | undefined;
  'ca-roots'?: string | undefined;
  kubernetes?: boolean | undefined;
  context?: string | undefined;
}

/**
 * What is injected: by the flags, and with `--kubernetes` over the settings of the installation in the cluster, with its CA’s roots and the
 * namespaces whose Pod Security is strict. Sidecars that ask the agent of their node need no roots. Throws E_USAGE without roots where they are needed, E_CONFIG_INVALID, E_CERTIFICATE_UNREADABLE, E_CLUSTER_*, E_KUBECONFIG.
 */
export async function injectSettingsFrom(
  flags: InjectFlags,
  version: string,
): Promise<{ settings: InjectSettings; strict: ReadonlySet<string> }> {
  const { 'fairlead-namespace': typed, revision = '', settings: file, set } = flags;
  const client = flags.kubernetes ? await openCluster(flags.context) : undefined;
  try {
    const stored = client && (await storedSettings(client, typed ?? DEFAULT_NAMESPACE, revision));
    const { settings } = await settingsFrom({ file, set, namespace: typed, revision: flags.revision }, version, stored);
    const { injectSettingsOf } = await import('../install/inject/from-settings.ts');
    const named = flags['ca-roots'];
    const roots = named === undefined ? client && (await publishedRoots(client, settings)) : await rootsOfFile(named);
    if (roots === undefined && settings.injection.agent === 'pod')
      throw new FairleadError('E_USAGE', 'the roots of the CA are needed: a sidecar without the agent of its node knows the CA by them', {
        next: 'Name them with --ca-roots FILE, or take all that is needed from the cluster with --kubernetes.',
      });
    return {
      settings: injectSettingsOf(settings, roots ?? '', client !== undefined),
      strict: client === undefined ? new Set() : await strictNamespaces(client),
    };
  } finally {
    client?.close();
  }
}

async function storedSettings(client: ApiClient, namespace: string, revision: string) {
  const { readInventory } = await import('../install/live/inventory.ts');
  const inventory = await readInventory(client, namespace, revision);
  if (inventory !== undefined && !inventory.removed) return inventory.settings;
  throw new FairleadError('E_INSTALL_MISSING', `there is no installation${revision && ` of the revision ${revision}`} in ${namespace}`, {
    next: 'Install one with `fairlead install`, name its namespace with --fairlead-namespace, or leave --kubernetes out and name --ca-roots.',
  });
}

/** None where namespaces may not be listed: then the API server says what Pod Security forbids. */
async function strictNamespaces(client: ApiClient): Promise<ReadonlySet<string>> {
  const [{ isForbidden }, { listObjects }, { isStrict }] = await Promise.all([
    import('../kubernetes/api-error.ts'),
    import('../kubernetes/list.ts'),
    import('../install/inject/choose-agent.ts'),
  ]);
  const strict = new Set<string>();
  try {
    await listObjects(
      client,
      '/api/v1/namespaces',
      {},
      {
        begin: () => strict.clear(),
        add: ({ metadata }) => {
          const { name, labels = {} } = metadata as { name: string; labels?: Record<string, string> };
          if (isStrict(labels)) strict.add(name);
        },
      },
    );
  } catch (error) {
    if (!isForbidden(error) && (error as { code?: string }).code !== 'E_CLUSTER_FORBIDDEN') throw error;
  }
  return strict;
}

/** Throws E_CERTIFICATE_UNREADABLE where there are none and sidecars need them. */
async function publishedRoots(client: ApiClient, { namespace, injection }: Settings): Promise<string | undefined> {
  const [{ readObject }, { ROOTS_CONFIG_MAP }] = await Promise.all([
    import('../install/live/cluster-api.ts'),
    import('../install/objects/names.ts'),
  ]);
  const found = await readObject(client, { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: ROOTS_CONFIG_MAP });
  const roots = (found?.['data'] as Record<string, string> | undefined)?.['root-cert.pem'];
  if (roots || injection.agent === 'node') return roots;
  throw new FairleadError('E_CERTIFICATE_UNREADABLE', `the ConfigMap ${namespace}/${ROOTS_CONFIG_MAP} has no roots of the CA yet`, {
    next: 'The CA writes them when it starts: see its pod’s log. Or name a file with --ca-roots.',
  });
}

/** Throws E_CERTIFICATE_UNREADABLE for what holds no certificate. */
async function rootsOfFile(file: string): Promise<string> {
  const fail = (why: string, cause?: unknown): never => {
    throw new FairleadError('E_CERTIFICATE_UNREADABLE', `the CA’s roots cannot be read from ${file}: ${why}`, {
      next: 'Write them there with `fairlead ca bundle`.',
      cause,
    });
  };
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => fail(error.code ?? error.message, error));
  const { readCertificates } = await import('../pki/certificate.ts');
  try {
    readCertificates(text);
  } catch (error) {
    return fail((error as Error).message, error);
  }
  return text;
}
