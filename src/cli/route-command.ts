/** What the commands that read and edit routes share. */
import * as Flags from '@oclif/core/flags';
import type { HTTPRoute } from '../config/kinds/networking.ts';
import type { Resource } from '../config/resource.ts';
import type { Edits, FileChange } from '../edit/draft.ts';
import type { HostRoutes, RouteEntry } from '../edit/routes/find-routes.ts';
import type { RoutedHost } from '../edit/routes/service-host.ts';
import { FairleadError } from '../errors.ts';
import type { Mesh } from '../mesh/types.ts';
import { BaseCommand } from './base-command.ts';
import { type ClusterFlags, clusterFlags } from './cluster-flags.ts';
import { confirm } from './confirm.ts';
import * as flags from './flags.ts';
import type { RouteStore } from './route-store.ts';

/** What an edit did, or would do. */
export interface RouteChange {
  /** What changes, in words. */
  summary: string;
  written: boolean;
  files: readonly { file: string; change: 'changed' | 'created' | 'removed' }[];
  /** As `git diff` shows it. */
  diff: string;
}

export interface OpenedMesh {
  store: RouteStore;
  namespace: string;
  mesh: Mesh;
}

/** Flags of every command of the topic. */
export const readFlags = { config: flags.config, ...clusterFlags, namespace: flags.namespace };

/** Flags of the commands that edit: either files, or a cluster. */
export const editFlags = {
  ...readFlags,
  kubernetes: Flags.boolean({
    char: 'k',
    description: 'change the cluster of the kubeconfig; see docs/routes.md',
    exclusive: ['config'],
  }),
  route: Flags.string({
    char: 'r',
    helpValue: 'NAME|NUMBER',
    description: 'which route [default: the only one, or the one that takes every request]',
  }),
  gateway: Flags.string({ helpValue: 'NAMESPACE/NAME|mesh', description: 'only of the VirtualService for this gateway' }),
  'dry-run': Flags.boolean({ description: 'show the change, write nothing; of a cluster: as its API server would make it' }),
};

interface EditChoice {
  route?: string | undefined;
  gateway?: string | undefined;
}

export abstract class RouteCommand extends BaseCommand {
  #stores: RouteStore[] = [];

  /** Where the flags say that routes are. */
  protected async openStore(choice: { config?: string[] | undefined; namespace: string } & ClusterFlags): Promise<RouteStore> {
    const store = choice.kubernetes
      ? (await import('./route-cluster.ts')).clusterStore(choice, choice.config)
      : (await import('./route-store.ts')).fileStore(this.configPaths(choice.config), choice.namespace);
    this.#stores.push(store);
    return store;
  }

  protected override async finally(error: Error | undefined): Promise<void> {
    for (const store of this.#stores) store.close();
    await super.finally(error);
  }

  /** Reads the configuration. Throws E_CONFIG_INVALID when files cannot even be read as YAML, and E_CLUSTER_*. */
  protected async openMesh(choice: { config?: string[] | undefined; namespace: string } & ClusterFlags): Promise<OpenedMesh> {
    const store = await this.openStore(choice);
    return { store, namespace: choice.namespace, mesh: await store.load() };
  }

  /** The host, and the VirtualService that decides about it; undefined when none does. */
  protected async findRoutes(
    opened: OpenedMesh,
    name: string,
    choice: EditChoice,
  ): Promise<{ target: RoutedHost; routes: HostRoutes | undefined }> {
    const [{ findHost }, { routesOf }] = await Promise.all([
      import('../edit/routes/service-host.ts'),
      import('../edit/routes/find-routes.ts'),
    ]);
    const target = findHost(opened.mesh, name, opened.namespace);
    const { gateway } = choice;
    const found = routesOf(opened.mesh, target.host, gateway);
    // Sidecars' routes are meant where a host has both them and a gateway's.
    return { target, routes: found.find((r) => r.gateways.includes('mesh')) ?? found[0] };
  }

  /** The one route that is to be edited. Throws E_ROUTE_UNKNOWN. */
  protected async findRoute(
    opened: OpenedMesh,
    name: string,
    choice: EditChoice,
  ): Promise<{ target: RoutedHost; routes: HostRoutes; entry: RouteEntry }> {
    const { chooseRoute } = await import('../edit/routes/find-routes.ts');
    const { target, routes } = await this.findRoutes(opened, name, choice);
    if (routes === undefined)
      throw new FairleadError('E_ROUTE_UNKNOWN', `no VirtualService routes requests for ${target.host}`, {
        next: `\`${this.config.bin} route split ${name} SUBSET=PERCENT …\` makes one.`,
      });
    return { target, routes, entry: chooseRoute(routes, choice.route) };
  }

  /**
   * Changes one route and commits. Without a VirtualService one is made, whose only route goes to the service.
   *
   * @param words what is so afterwards, for the summary
   */
  protected async changeRoute(
    opened: OpenedMesh,
    service: string,
    choice: EditChoice & { 'dry-run': boolean },
    change: (
      route: HTTPRoute,
      draft: Edits,
      found: { target: RoutedHost; resource: Resource | undefined },
    ) => HTTPRoute | Promise<HTTPRoute>,
    words: string,
  ): Promise<RouteChange> {
    const [{ chooseRoute, nameOfRoute }, { metadataFor }] = await Promise.all([
      import('../edit/routes/find-routes.ts'),
      import('../edit/routes/split.ts'),
    ]);
    const { target, routes } = await this.findRoutes(opened, service, choice);
    const draft = opened.store.draft();
    if (routes !== undefined) {
      const entry = chooseRoute(routes, choice.route);
      draft.set(entry.resource, entry.path, await change(entry.route, draft, { target, resource: entry.resource }));
      return this.commit(opened, draft, `route ${nameOfRoute(entry)} of ${target.host}: ${words}`, choice['dry-run']);
    }
    const { file, text } = opened.store.newFile(target);
    const own = target.service?.registry === 'Kubernetes' ? target.service.name : target.host;
    const route = await change({ route: [{ destination: { host: own } }] }, draft, { target, resource: undefined });
    draft.add(file, text, {
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: metadataFor(target.host, target.service?.namespace),
      spec: { hosts: [own], http: [route] },
    });
    return this.commit(opened, draft, `requests for ${target.host}: ${words} (a new VirtualService)`, choice['dry-run']);
  }

  /** Shows, checks and writes what was drafted. */
  protected async commit({ store }: OpenedMesh, draft: Edits, summary: string, dryRun: boolean): Promise<RouteChange> {
    const { unifiedDiff } = await import('../output/diff/unified-diff.ts');
    const quiet = this.jsonEnabled();
    const changes = await store.commit(draft, {
      dryRun,
      refused: (tried) => {
        // What is refused can be looked at all the same.
        if (dryRun && !quiet) this.write(unifiedDiff(tried, this.color));
      },
      ahead: (coming) => {
        if (!quiet) process.stderr.write(unifiedDiff(coming, this.errorColor));
      },
      warn: (text) => process.stderr.write(`warning: ${text}\n`),
    });
    const files = changes.map((change) => ({ file: change.file, change: kindOf(change) }));
    const result: RouteChange = { summary, written: !dryRun && changes.length > 0, files, diff: unifiedDiff(changes, false) };
    return this.print(result, undefined, () => {
      if (changes.length === 0) return 'nothing to change: it is so already';
      if (dryRun) return unifiedDiff(changes, this.color);
      return `${summary}\n${files.map(({ file, change }) => `${change} ${file}`).join('\n')}`;
    });
  }

  /** Asks on a terminal; elsewhere --yes must be given. Throws E_USAGE. */
  protected async confirm(what: string, yes: boolean): Promise<void> {
    return confirm(what, yes);
  }
}

function kindOf({ before, after }: FileChange): 'changed' | 'created' | 'removed' {
  return before === undefined ? 'created' : after === undefined ? 'removed' : 'changed';
}
