import * as Flags from '@oclif/core/flags';
import { argument } from '../src/cli/argument.ts';
import { BaseCommand } from '../src/cli/base-command.ts';
import { clusterFlags, clusterSource, sourceName } from '../src/cli/cluster-flags.ts';
import * as flags from '../src/cli/flags.ts';
import { openCluster, revisionFlag } from '../src/cli/install-flags.ts';
import { loadConfig } from '../src/config/load.ts';
import { EXIT, FairleadError } from '../src/errors.ts';
import type { CheckedPod, Installed } from '../src/install/inject/check.ts';
import { injectionText } from '../src/output/injection.ts';

export default class CheckInject extends BaseCommand {
  static override aliases = ['x:check-inject'];
  static override summary =
    'Say whether pods get sidecars, and why: by the labels of their namespace and their own, and by what is in the way.';
  static override description =
    `With --kubernetes the webhook configurations of the cluster are asked, Istio’s too; with files those that are among them, else those of an installation. What opts a pod out, and what cannot be had, is
told as the webhook decides it. Exit code 1 when a pod that was named gets none.`;
  static override examples = [
    '<%= config.bin %> check-inject -k deployment/web -n shop',
    '<%= config.bin %> check-inject -k -n shop',
    '<%= config.bin %> check-inject -f deployments/',
  ];
  static override args = { pod: argument('[KIND/]NAME[.NAMESPACE]', 'a pod, or what makes pods [default: all]') };
  static override flags = {
    config: flags.config,
    ...clusterFlags,
    namespace: flags.namespace,
    revision: { ...revisionFlag.revision, description: 'without webhook configurations: those of this revision' },
    labels: Flags.string({ char: 'l', helpValue: 'KEY=VALUE,…', description: 'only pods with these labels' }),
    output: flags.output('text', 'json', 'yaml'),
  };

  async run(): Promise<readonly CheckedPod[]> {
    const { args, flags } = await this.parse(CheckInject);
    const besides = clusterSource(flags, { forAnalysis: true });
    const paths = this.configPaths(flags.config, besides);
    const { resources, problems } = await loadConfig(paths, { namespace: flags.namespace, besides, leaveOut: true });
    const broken = problems.filter((p) => p.severity === 'error');
    if (broken.length > 0) throw new FairleadError('E_CONFIG_INVALID', 'the configuration is not valid', { problems: broken });
    const { checkInjection } = await import('../src/install/inject/check.ts');
    const wanted = wantedPod(args.pod, flags.namespace);
    const checked = checkInjection(resources, {
      revision: flags.revision ?? '',
      namespace: flags.kubernetes && !flags['all-namespaces'] && args.pod === undefined ? flags.namespace : undefined,
      labels: labelsOf(flags.labels),
      installed: flags.kubernetes ? await installedIn(flags.context) : undefined,
      ...wanted,
    });
    if (checked.length === 0)
      throw new FairleadError(
        'E_USAGE',
        `${args.pod === undefined ? 'there are no pods' : `there is no ${args.pod}`} in ${sourceName(paths, besides)}`,
        {
          next: 'Name a Pod, Deployment, StatefulSet, DaemonSet, ReplicaSet, Job or CronJob, and its namespace with -n.',
        },
      );
    if (args.pod !== undefined && checked.some(({ injected }) => !injected)) process.exitCode = EXIT.findings;
    return this.print(checked, flags.output, injectionText);
  }
}

/** What the installations of a cluster are set to; nothing where that may not be read. */
async function installedIn(context: string | undefined): Promise<Installed> {
  const [{ listInventories }, { resolveSettings }, { webhookNames }] = await Promise.all([
    import('../src/install/live/inventory.ts'),
    import('../src/install/settings/resolve.ts'),
    import('../src/install/inject/webhooks.ts'),
  ]);
  const client = await openCluster(context);
  try {
    return new Map(
      (await listInventories(client)).map(({ revision, version, settings }) => [
        webhookNames(revision).injector,
        resolveSettings(settings, { revision, version }).injection,
      ]),
    );
  } catch (error) {
    if (error instanceof FairleadError && error.code === 'E_CLUSTER_FORBIDDEN') return new Map();
    throw error;
  } finally {
    client.close();
  }
}

/** `deployment/web.shop`, `web`. Throws E_USAGE for kinds that make no pods. */
function wantedPod(typed: string | undefined, namespace: string): { kind?: string; name?: string; in?: string } {
  if (typed === undefined) return {};
  const slash = typed.indexOf('/');
  const rest = typed.slice(slash + 1);
  const dot = rest.lastIndexOf('.');
  const [name, within] = dot > 0 ? [rest.slice(0, dot), rest.slice(dot + 1)] : [rest, namespace];
  if (slash === -1) return { name, in: within };
  const short = typed.slice(0, slash).toLowerCase();
  const kind = Object.entries(KINDS).find(([full, names]) => [full.toLowerCase(), `${full.toLowerCase()}s`, ...names].includes(short))?.[0];
  if (kind !== undefined) return { kind, name, in: within };
  throw new FairleadError('E_USAGE', `${JSON.stringify(typed.slice(0, slash))} makes no pods`, {
    next: `Name one of ${Object.keys(KINDS).join(', ')}.`,
  });
}

const KINDS: Readonly<Record<string, readonly string[]>> = {
  Pod: ['po'],
  Deployment: ['deploy'],
  StatefulSet: ['sts'],
  DaemonSet: ['ds'],
  ReplicaSet: ['rs'],
  Job: [],
  CronJob: ['cj'],
};

function labelsOf(typed: string | undefined): Record<string, string> {
  if (typed === undefined) return {};
  return Object.fromEntries(
    typed.split(',').map((pair) => {
      const [, key = '', value = ''] = /^\s*([^=\s]+)==?([^=\s]*)\s*$/.exec(pair) ?? [];
      if (key === '') throw new FairleadError('E_USAGE', `--labels ${JSON.stringify(typed)} is not KEY=VALUE,…`);
      return [key, value];
    }),
  );
}
