/** Points tags at revisions, and takes them away. */
import { FairleadError } from '../../errors.ts';
import type { ApiClient } from '../../kubernetes/client.ts';
import { webhookNames } from '../inject/webhooks.ts';
import { publishBundle } from '../live/ca-bundle.ts';
import { applyObject, deleteObject, type LiveObject, readObject } from '../live/cluster-api.ts';
import { refuseConflicts } from '../live/execute.ts';
import { listInventories } from '../live/inventory.ts';
import { type Plan, type PlannedObject, planInstall, planRemoval } from '../live/plan.ts';
import { DEFAULT_REVISION } from '../objects/names.ts';
import { foreignInjectors, type LiveTag, listTags } from './live-tags.ts';
import { type TagTarget, tagManifests, tagName, tagRefs } from './tag-objects.ts';

/** What a revision is called in commands and labels. */
export const revisionText = (revision: string): string => revision || DEFAULT_REVISION;

/** The installation without a revision answers for this name by itself. Throws E_USAGE. */
export function refuseOwnName({ tag, revision }: TagTarget): void {
  if (tag !== DEFAULT_REVISION || revision !== '') return;
  throw new FairleadError('E_USAGE', 'the installation without a revision answers for default as it is', {
    next: '`fairlead tag remove default` gives it back what another revision was given.',
  });
}

export interface PlannedTag {
  plan: Plan;
  /** What it was before; undefined: it is new. */
  before: LiveTag | undefined;
  /** Of the revision, where that is another one than the tag's. */
  otherVersion: string | undefined;
}

/**
 * What it takes to have a tag lead to a revision. Throws E_INSTALL_MISSING when nothing is injected by that revision, E_INSTALL_EXISTS for a tag that leads
 * elsewhere and may not be moved, E_INSTALL_REFUSED for a name that somebody else answers for, E_INSTALL_CONFLICT.
 */
export async function planTag(client: ApiClient, target: TagTarget, version: string, overwrite: boolean): Promise<PlannedTag> {
  const { tag, revision, namespace } = target;
  refuseOwnName(target);
  const [installed, tags, foreign] = await Promise.all([listInventories(client), listTags(client), foreignInjectors(client, tag)]);
  const here = installed.filter((one) => one.namespace === namespace && !one.removed);
  const known = here.map((one) => revisionText(one.revision)).join(', ');
  const leadsTo = here.find((one) => one.revision === revision);
  if (leadsTo === undefined)
    throw new FairleadError('E_INSTALL_MISSING', `there is no revision ${revisionText(revision)} in ${namespace}`, {
      next: known === '' ? 'Nothing is installed there: say where with --namespace.' : `There are: ${known}.`,
    });
  if ((await injectorOf(client, revision)) === undefined)
    throw new FairleadError('E_INSTALL_MISSING', `revision ${revisionText(revision)} has no injector that a tag could lead to`, {
      next: 'Turn injection on: `fairlead upgrade --set injection.enabled=true`.',
    });
  if (tag !== DEFAULT_REVISION && installed.some((one) => one.revision === tag && !one.removed))
    throw new FairleadError('E_INSTALL_REFUSED', `${tag} is the name of a revision, which answers for it`, {
      next: 'Choose another name for the tag.',
    });
  if (foreign.length > 0)
    throw new FairleadError(
      'E_INSTALL_REFUSED',
      `somebody else’s injector answers for ${tag}: MutatingWebhookConfiguration ${foreign.join(', ')}`,
      {
        next: 'Both would be asked about the same pods. Choose another name, or take that one away first.',
      },
    );
  const before = tags.find((one) => one.tag === tag);
  if (before !== undefined && !overwrite && (before.revision !== revision || before.namespace !== namespace))
    throw new FairleadError('E_INSTALL_EXISTS', `the tag ${tag} leads to revision ${revisionText(before.revision)}`, {
      next: '--overwrite moves it.',
    });
  const plan = await planInstall(client, tagManifests(target, version), { namespace, force: false, inventory: undefined, others: [] });
  refuseConflicts(plan);
  return { plan, before, otherVersion: leadsTo.version === version ? undefined : leadsTo.version };
}

/** Carries a plan out. The roots are those that the revision's own configuration has; its server keeps them from then on. */
export async function setTag(
  client: ApiClient,
  { tag, revision }: TagTarget,
  { plan }: PlannedTag,
  progress: (object: PlannedObject) => void,
): Promise<void> {
  for (const object of plan.objects) {
    if (object.action === 'same' || object.manifest === undefined) continue;
    await applyObject(client, object.manifest, { dryRun: false, force: false });
    progress(object);
  }
  const caBundle = (await injectorOf(client, revision))?.webhooks?.[0]?.clientConfig?.caBundle;
  if (!caBundle) return;
  const roots = Buffer.from(caBundle, 'base64').toString();
  await publishBundle(client, roots, { mutating: [tagName(tag)], validating: [] });
}

/** Throws E_INSTALL_MISSING. */
export async function planTagRemoval(client: ApiClient, tag: string): Promise<{ plan: Plan; before: LiveTag }> {
  const tags = await listTags(client);
  const before = tags.find((one) => one.tag === tag);
  if (before === undefined)
    throw new FairleadError('E_INSTALL_MISSING', `there is no tag ${tag}`, {
      next: tags.length === 0 ? 'There are none at all.' : `There are: ${tags.map((one) => one.tag).join(', ')}.`,
    });
  const objects: PlannedObject[] = [];
  for (const ref of tagRefs(tag).reverse()) {
    const planned = await planRemoval(client, ref, async () => undefined);
    if (planned !== undefined) objects.push(planned);
  }
  return { plan: { namespace: before.namespace, objects }, before };
}

export async function removeTag(client: ApiClient, plan: Plan, progress: (object: PlannedObject) => void): Promise<void> {
  for (const object of plan.objects) {
    if (object.action !== 'delete') continue;
    await deleteObject(client, object.ref, object.uid);
    progress(object);
  }
}

/** Tags that lead to a revision. */
export async function tagsOf(client: ApiClient, { revision, namespace }: Pick<TagTarget, 'revision' | 'namespace'>): Promise<LiveTag[]> {
  return (await listTags(client)).filter((one) => one.revision === revision && one.namespace === namespace);
}

/** Makes the tags of a revision anew as this version makes them, after an upgrade of it. */
export async function renewTags(
  client: ApiClient,
  who: Pick<TagTarget, 'revision' | 'namespace'>,
  version: string,
  progress: (object: PlannedObject) => void,
): Promise<void> {
  for (const { tag } of await tagsOf(client, who)) {
    const target = { tag, ...who };
    await setTag(client, target, await planTag(client, target, version, true), progress);
  }
}

type Injector = LiveObject & { webhooks?: { clientConfig?: { caBundle?: string } }[] };

function injectorOf(client: ApiClient, revision: string): Promise<Injector | undefined> {
  const name = webhookNames(revision).injector;
  return readObject(client, { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingWebhookConfiguration', name });
}
