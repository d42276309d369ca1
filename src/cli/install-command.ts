/** `install` and `upgrade`: check, plan, show, ask, apply, wait. */
import * as Flags from '@oclif/core/flags';
import { parseDuration } from '../config/duration.ts';
import { FairleadError } from '../errors.ts';
import type { Inventory } from '../install/live/inventory.ts';
import type { Plan, PlannedObject } from '../install/live/plan.ts';
import type { ReadSettings } from '../install/settings/read-settings.ts';
import type { SettingsFile } from '../install/settings/schema.ts';
import type { ApiClient } from '../kubernetes/client.ts';
import { BaseCommand } from './base-command.ts';
import { confirm } from './confirm.ts';
import * as flags from './flags.ts';
import type { HostResult } from './host-install.ts';
import { contextFlag, namespaceFlag, revisionFlag, settingsFlags } from './install-flags.ts';

export const installFlags = {
  ...settingsFlags,
  ...namespaceFlag,
  ...revisionFlag,
  ...contextFlag,
  'dry-run': Flags.boolean({ description: 'only show what would change, as the API server says' }),
  yes: Flags.boolean({ char: 'y', description: 'do not ask' }),
  'force-conflicts': Flags.boolean({ description: 'take over fields that others have set' }),
  wait: Flags.boolean({ description: 'wait until all is ready', default: true, allowNo: true }),
  timeout: Flags.string({ helpValue: 'DURATION', description: 'how long to wait', default: '5m' }),
  output: flags.output('text', 'json', 'yaml'),
};

export interface InstallFlags {
  context?: string | undefined;
  'dry-run': boolean;
  yes: boolean;
  'force-conflicts': boolean;
  wait: boolean;
  timeout: string;
  output?: string | undefined;
}

/** What `install`, `upgrade` and `uninstall` answer. */
export interface InstallResult {
  namespace: string;
  revision: string;
  version: string;
  dryRun: boolean;
  objects: {
    kind: string;
    namespace?: string | undefined;
    name: string;
    action: string;
    why?: string | undefined;
    conflicts?: readonly { manager: string; field: string }[];
  }[];
}

export function resultOf(plan: Plan, more: { revision: string; version: string; dryRun: boolean }): InstallResult {
  return {
    namespace: plan.namespace,
    ...more,
    objects: plan.objects.map(({ ref: { kind, namespace, name }, action, why, conflicts }) => ({
      kind,
      ...(namespace === undefined ? {} : { namespace }),
      name,
      action,
      ...(why === undefined ? {} : { why }),
      ...(conflicts.length === 0 ? {} : { conflicts }),
    })),
  };
}

/** Milliseconds of `--timeout`. Throws E_USAGE. */
export function timeoutMs(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms >= 0) return ms;
  throw new FairleadError('E_USAGE', `--timeout ${JSON.stringify(text)} is not a duration`, { next: 'Write 10m, 1m30s or 45s.' });
}

export abstract class InstallCommand extends BaseCommand {
  /** Standard error: what is printed to standard output is the result. */
  protected say(line: string): void {
    process.stderr.write(`${line}\n`);
  }

  /** `--target systemd` of `install` and `upgrade`. Throws what `installHost` does. */
  protected async applyHost(
    kind: 'install' | 'upgrade',
    root: string,
    { 'dry-run': dryRun, yes, 'force-conflicts': force, output }: Omit<InstallFlags, 'context'>,
    settings: (stored: SettingsFile | undefined) => Promise<SettingsFile>,
  ): Promise<HostResult> {
    const { installHost } = await import('./host-install.ts');
    const options = { root, version: this.config.version, dryRun, yes, force, say: this.say, color: this.errorColor };
    return this.print(await installHost(kind, settings, options), output, ({ version }) =>
      dryRun ? 'nothing was done' : `fairlead ${version} is installed in ${root}`,
    );
  }

  /** Throws what its steps do; nothing was changed before the confirmation. */
  protected async apply(
    client: ApiClient,
    { settings: wanted, file }: ReadSettings,
    inventory: Inventory | undefined,
    options: InstallFlags,
  ): Promise<InstallResult> {
    const limit = timeoutMs(options.timeout);
    const { version } = this.config;
    const { revision, namespace } = wanted;
    const [
      { manifestsOf },
      { whileKeysMove },
      { planInstall },
      { executePlan, refuseConflicts },
      { listInventories },
      { planText, countText },
    ] = await Promise.all([
      import('../install/manifests.ts'),
      import('../install/live/ca-volume.ts'),
      import('../install/live/plan.ts'),
      import('../install/live/execute.ts'),
      import('../install/live/inventory.ts'),
      import('../output/install.ts'),
    ]);
    const moving = await whileKeysMove(client, wanted);
    if (moving)
      this.say(
        `the CA’s keys are in a volume: its one pod moves them into a Secret; \`fairlead upgrade\`, once more, then makes ${wanted.ca.replicas} pods of it`,
      );
    const settings = moving ?? wanted;
    const manifests = manifestsOf(settings, version);
    await this.check(client, { settings, manifests });
    const others = (await listInventories(client, namespace)).filter((other) => other.revision !== revision);
    const force = options['force-conflicts'];
    const plan = await planInstall(client, manifests, { namespace, force, inventory, others });
    const text = options.output === undefined || options.output === 'text';
    const shown = planText(plan.objects, text && !this.jsonEnabled() ? this.errorColor : false);
    process.stderr.write(shown);
    const changes = countText(plan.objects);
    const result = resultOf(plan, { revision, version, dryRun: options['dry-run'] });
    refuseConflicts(plan);
    if (options['dry-run'])
      return this.print(result, options.output, () => `${changes === undefined ? 'nothing changes' : `this ${changes}`}; nothing was done`);
    if (changes !== undefined) await confirm(`This ${changes} in ${client.context}`, options.yes);
    const [{ refText }, { renewTags }] = await Promise.all([
      import('../install/objects/object.ts'),
      import('../install/tags/change-tags.ts'),
    ]);
    const progress = ({ action, ref }: PlannedObject): void =>
      this.say(`${action === 'delete' ? 'deleted' : action === 'create' ? 'created' : 'changed'} ${refText(ref)}`);
    const done = await executePlan(client, plan, {
      revision,
      version,
      settings: file,
      inventory,
      force,
      progress,
    });
    if (settings.injection.enabled) await renewTags(client, { revision, namespace }, version, progress);
    if (options.wait) {
      const { waitReady } = await import('../install/live/wait-ready.ts');
      await waitReady(client, done.objects, { timeoutMs: limit, progress: (line) => this.say(line) });
    }
    const which = revision === '' ? '' : ` revision ${revision}`;
    return this.print(result, options.output, () => `fairlead ${version}${which} is ${options.wait ? 'ready' : 'applied'} in ${namespace}`);
  }

  /** Says what is wrong, and throws E_INSTALL_REFUSED for what makes an installation impossible. */
  private async check(
    client: ApiClient,
    what: Pick<import('../install/live/prechecks.ts').InstallProbes, 'settings' | 'manifests'>,
  ): Promise<void> {
    const report = await this.report(client, what);
    const bad = report.checks.filter(({ state }) => state === 'failed' || state === 'broken');
    for (const { what: about, message, next } of report.checks.filter(({ state }) => state === 'warning'))
      this.say(`warning: ${about}: ${message}. ${next ?? ''}`.trimEnd());
    if (bad.length === 0) return;
    throw new FairleadError('E_INSTALL_REFUSED', 'it cannot be installed like this', {
      problems: bad.map(({ id, what: about, message, details, next }) => ({
        severity: 'error',
        rule: id,
        message: `${about}: ${[message, ...details].join('; ')}`,
        ...(next === undefined ? {} : { hint: next }),
      })),
    });
  }

  /** What `--pre` shows. */
  protected async report(client: ApiClient, what: Pick<import('../install/live/prechecks.ts').InstallProbes, 'settings' | 'manifests'>) {
    const [{ runChecks }, { installChecks }] = await Promise.all([
      import('../doctor/run-checks.ts'),
      import('../install/live/prechecks.ts'),
    ]);
    const probes = { client, ...what, version: this.config.version };
    return runChecks(installChecks, probes, { skip: [], now: () => performance.now() });
  }

  /** Throws E_INSTALL_MISSING: a revision stands beside an installation. */
  protected async requireBase(client: ApiClient, namespace: string, revision: string): Promise<void> {
    if (revision === '') return;
    const { readInventory } = await import('../install/live/inventory.ts');
    const base = await readInventory(client, namespace, '');
    if (base !== undefined && !base.removed) return;
    throw new FairleadError(
      'E_INSTALL_MISSING',
      `a revision shares the CA of an installation without one, and there is none in ${namespace}`,
      {
        next: 'Install without --revision first.',
      },
    );
  }
}
