/**
 * Fairlead as the plugin that oclif takes every command line tool for, made from package.json and the manifest.
 *
 * oclif's own loading gives the same, but looks for configuration files of six kinds and sorts the commands by the rules of the
 * language, for which ICU has to be set up: 10 ms of every command.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Command } from '@oclif/core/command';
import type { PJSON, Plugin } from '@oclif/core/interfaces';
import type { Manifest } from './manifest.ts';

/**
 * @param root the package's folder, absolute
 * @param pjson what its package.json says
 */
export function rootPlugin(root: string, pjson: PJSON, manifest: Manifest): Plugin {
  const load = async (id: string): Promise<Command.Class> => {
    const { relativePath = [] } = manifest.commands[id] as Command.Cached & { relativePath?: string[] };
    const file = join(root, ...relativePath);
    const { default: command } = (await import(pathToFileURL(file).href)) as { default: Command.Class };
    command.id = id;
    command.plugin = plugin;
    return command;
  };
  const plugin: Plugin = {
    _base: '',
    alias: pjson.name,
    commandIDs: Object.keys(manifest.commands),
    commands: Object.entries(manifest.commands).map(([id, command]) => ({
      ...command,
      pluginAlias: pjson.name,
      pluginType: 'core',
      load: () => load(id),
    })),
    commandsDir: undefined,
    findCommand: load as Plugin['findCommand'],
    hasManifest: true,
    hooks: {},
    isRoot: true,
    load: async () => undefined,
    moduleType: 'module',
    name: pjson.name,
    options: { root },
    pjson,
    root,
    topics: Object.entries(pjson.oclif.topics ?? {}).map(([name, topic]) => ({ ...topic, name })),
    type: 'core',
    valid: true,
    version: pjson.version,
  };
  return plugin;
}
