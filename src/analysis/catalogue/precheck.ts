import type { Message } from './message.ts';

const precheck = (
  code: string,
  name: string,
  level: Message['level'],
  args: string[],
  template: string,
  summary: string,
  effect: string,
): Message => ({
  code,
  name,
  level,
  args,
  template,
  summary,
  effect,
  precheck: true,
});

/** What a cluster is asked before an installation or upgrade; configuration alone never gives these. */
export const prechecks: readonly Message[] = [
  precheck(
    'IST0136',
    'AlphaAnnotation',
    'Info',
    ['annotation: string'],
    'the annotation {annotation} is alpha: it may change or go away',
    'An annotation is not stable yet.',
    'After an upgrade it may do nothing, or something else.',
  ),
  precheck(
    'IST0141',
    'InsufficientPermissions',
    'Error',
    ['resource: string', 'error: string'],
    '{resource} cannot be created: {error}',
    'Whoever installs lacks a permission.',
    'The installation stops half-way.',
  ),
  precheck(
    'IST0142',
    'UnsupportedKubernetesVersion',
    'Error',
    ['version: string', 'minimumVersion: string'],
    'Kubernetes is of version {version}; {minimumVersion} is needed',
    'The cluster is too old.',
    'The control plane uses APIs that the cluster does not have.',
  ),
  precheck(
    'IST0156',
    'UnsupportedGatewayAPIVersion',
    'Error',
    ['version: string', 'minimumVersion: string'],
    'the Gateway API serves {version}; {minimumVersion} is needed',
    'The kinds of the Gateway API are too old.',
    'The control plane cannot read them.',
  ),
  precheck(
    'IST0169',
    'UpdateIncompatibility',
    'Warning',
    ['field: string', 'release: string', 'info: string', 'compatVersion: string'],
    'the default of {field} changes with release {release}: {info}; `compatibilityVersion={compatVersion}` keeps the old one',
    'An upgrade changes a default that is in use.',
    'Behaviour changes with the upgrade.',
  ),
  precheck(
    'IST0172',
    'FutureUnsupportedGatewayAPIVersion',
    'Warning',
    ['version: string', 'minimumVersion: string'],
    'the Gateway API serves {version}; {minimumVersion} will be needed',
    'The kinds of the Gateway API will be too old after the next upgrade.',
    'A later control plane cannot read them.',
  ),
];
