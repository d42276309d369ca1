/** `--target systemd` of install, upgrade, uninstall: files on a host, and systemd told of them. */
import { join, resolve } from 'node:path';
import * as Flags from '@oclif/core/flags';
import { FairleadError, type Problem } from '../errors.ts';
import type { HostChange, HostInventory } from '../install/host/host-apply.ts';
import type { HostFile, HostSettings } from '../install/host/host-files.ts';
import type { SettingsFile } from '../install/settings/schema.ts';
import { confirm } from './confirm.ts';
import { packageRoot } from './package-root.ts';

export const targetFlags = {
  target: Flags.string({
    helpValue: 'kubernetes|systemd',
    options: ['kubernetes', 'systemd'],
    default: 'kubernetes',
    description: 'a cluster, or this host',
  }),
  root: Flags.string({
    helpValue: 'DIR',
    description: 'with --target systemd: the root of a host that is being prepared, whose systemd is not told',
  }),
};

export interface HostResult {
  root: string;
  version: string;
  dryRun: boolean;
  units: readonly string[];
  files: { path: string; action: string; why?: string }[];
}

export interface HostOptions {
  root: string;
  version: string;
  dryRun: boolean;
  yes: boolean;
  force: boolean;
  say(line: string): void;
  color: boolean;
}

/** The folder of `--root`, else `/`. Throws E_USAGE for `--root` with another target. */
export function rootOf({ target, root }: { target: string; root?: string | undefined }): string {
  if (root !== undefined && target !== 'systemd')
    throw new FairleadError('E_USAGE', '--root is for --target systemd', { next: 'A cluster is chosen with --context.' });
  return root === undefined ? '/' : resolve(root);
}

/** What runs this very command. */
const ownProgram = (): string[] => [process.execPath, join(packageRoot(), 'bin/fairlead.js')];

/** The files that settings make on a host. */
export async function filesOf(settings: SettingsFile): Promise<{ settings: HostSettings; files: HostFile[]; units: string[] }> {
  const { hostFiles, hostSettings, unitsOf } = await import('../install/host/host-files.ts');
  const host = hostSettings(settings, ownProgram());
  return { settings: host, files: hostFiles(host), units: unitsOf(host) };
}

/** Installs or upgrades. Throws E_INSTALL_EXISTS, E_INSTALL_MISSING, E_INSTALL_CONFLICT, E_FILE_UNWRITABLE, E_USAGE. */
export async function installHost(
  kind: 'install' | 'upgrade',
  settings: (stored: SettingsFile | undefined) => Promise<SettingsFile>,
  options: HostOptions,
): Promise<HostResult> {
  const { root, version, dryRun, yes, force, say, color } = options;
  const { applyHost, hostInventory, planHost, readHostInventory } = await import('../install/host/host-apply.ts');
  const inventory = readHostInventory(root);
  if (kind === 'install' && inventory !== undefined)
    throw new FairleadError('E_INSTALL_EXISTS', `fairlead ${inventory.version} is installed in ${root} already`, {
      next: 'Change it with `fairlead upgrade --target systemd`, which keeps its settings.',
    });
  if (kind === 'upgrade' && inventory === undefined)
    throw new FairleadError('E_INSTALL_MISSING', `there is nothing to upgrade in ${root}`, {
      next: '`fairlead install --target systemd` makes an installation.',
    });
  const file = await settings(inventory?.settings);
  const { files, units } = await filesOf(file);
  const changes = planHost(root, files, inventory, force);
  process.stderr.write(await changesText(changes, color));
  const result: HostResult = {
    root,
    version,
    dryRun,
    units,
    files: changes.map(({ path, action, why }) => ({ path, action, ...(why === undefined ? {} : { why }) })),
  };
  refuseEdited(changes);
  if (dryRun) return result;
  await confirm(
    `This writes ${changes.filter(({ action }) => action === 'create' || action === 'change').length} files below ${root}`,
    yes,
  );
  const { createSystemd } = await import('../install/host/systemd.ts');
  const systemd = createSystemd(root, say);
  const gone = (inventory?.units ?? []).filter((unit) => !units.includes(unit));
  if (gone.length > 0) systemd.disable(gone);
  applyHost(root, changes, hostInventory(version, file, units, files));
  systemd.enable(units);
  // Programs change without their units: every upgrade begins them anew.
  if (kind === 'upgrade') systemd.restart(units.filter((unit) => inventory?.units.includes(unit)));
  return result;
}

/** Throws E_INSTALL_MISSING, E_FILE_UNWRITABLE, E_USAGE. */
export async function uninstallHost(options: Omit<HostOptions, 'force'> & { purge: boolean }): Promise<HostResult> {
  const { root, dryRun, yes, say, purge, color } = options;
  const { planHostRemoval, readHostInventory, removeHost } = await import('../install/host/host-apply.ts');
  const inventory: HostInventory | undefined = readHostInventory(root);
  if (inventory === undefined)
    throw new FairleadError('E_INSTALL_MISSING', `nothing is installed in ${root}`, { next: 'Say where it is with --root.' });
  const changes = planHostRemoval(root, Object.keys(inventory.files), inventory, purge);
  process.stderr.write(await changesText(changes, color));
  const { version, units } = inventory;
  const result: HostResult = {
    root,
    version,
    dryRun,
    units,
    files: changes.map(({ path, action, why }) => ({ path, action, ...(why === undefined ? {} : { why }) })),
  };
  if (dryRun) return result;
  await confirm(`This removes ${changes.filter(({ action }) => action === 'delete').length} files below ${root}`, yes);
  const { createSystemd } = await import('../install/host/systemd.ts');
  createSystemd(root, say).disable(units);
  removeHost(root, changes);
  say('the user fairlead and what is in /var/lib/fairlead and /var/lib/fairlead-ca stay: certificates and keys');
  return result;
}

async function changesText(changes: readonly HostChange[], color: boolean): Promise<string> {
  const { unifiedDiff } = await import('../output/diff/unified-diff.ts');
  const marks: Record<string, string> = {
    create: '+ create ',
    change: '~ change ',
    delete: '- delete ',
    keep: '  keep   ',
    conflict: '! differ ',
  };
  const lines = changes
    .filter(({ action }) => action in marks)
    .map(({ action, path, why }) => `${marks[action]} ${path}${why === undefined ? '' : `  (${why})`}`);
  const same = changes.filter(({ action }) => action === 'same').length;
  if (same > 0) lines.push(`  ${same} ${same === 1 ? 'file stays as it is' : 'files stay as they are'}`);
  const changed = changes.filter(({ action }) => action === 'change' || action === 'conflict');
  const diff = unifiedDiff(
    changed.map(({ path, before, after }) => ({ file: path.slice(1), before, after })),
    color,
  );
  return `${lines.join('\n')}\n${diff === '' ? '' : `\n${diff}`}`;
}

function refuseEdited(changes: readonly HostChange[]): void {
  const edited = changes.filter(({ action }) => action === 'conflict');
  if (edited.length === 0) return;
  const problems: Problem[] = edited.map(({ path }) => ({
    severity: 'error',
    rule: 'install/edited',
    message: `${path} is not as it was written`,
  }));
  throw new FairleadError('E_INSTALL_CONFLICT', 'somebody has edited files of the installation', {
    problems,
    next: 'Put edits into drop-ins (`systemctl edit`) or /etc/fairlead/*.env; --force-conflicts writes the files anew.',
  });
}
