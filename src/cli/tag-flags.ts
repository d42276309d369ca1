/** What the commands of revision tags have in common. */
import * as Flags from '@oclif/core/flags';
import { FairleadError } from '../errors.ts';
import type { TagTarget } from '../install/tags/tag-objects.ts';
import { argument } from './argument.ts';
import { contextFlag, DEFAULT_NAMESPACE, namespaceFlag } from './install-flags.ts';

/** A label's value, and a part of names. */
const NAME = /^[a-z0-9](?:[-a-z0-9]{0,30}[a-z0-9])?$/;

async function parseName(typed: string): Promise<string> {
  if (NAME.test(typed)) return typed;
  throw new FairleadError('E_USAGE', `${JSON.stringify(typed)} is no name of a tag or revision`, {
    next: 'Names are 1 to 32 lower-case letters, digits and `-`, as prod or 1-2-0; `default` is the installation without a revision.',
  });
}

export const tagArgument = {
  tag: { ...argument('TAG', 'its name, as namespaces have it in istio.io/rev'), required: true, parse: parseName },
};

/** Of those that change a cluster. */
export const liveFlags = {
  ...namespaceFlag,
  ...contextFlag,
  'dry-run': Flags.boolean({ description: 'only show what would change' }),
};

export const toRevision = {
  revision: Flags.string({
    char: 'r',
    helpValue: 'NAME',
    description: 'the revision that it leads to; `default`: the installation without one',
    required: true,
    parse: parseName,
  }),
};

/** Where a tag is to lead. */
export function targetOf(tag: string, flags: { revision: string; namespace?: string | undefined }): TagTarget {
  return { tag, revision: flags.revision === 'default' ? '' : flags.revision, namespace: flags.namespace ?? DEFAULT_NAMESPACE };
}
