import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../../src/cli/base-command.ts';
import * as flags from '../../src/cli/flags.ts';
import { parseDuration } from '../../src/config/duration.ts';
import { FairleadError } from '../../src/errors.ts';
import type { Manifest } from '../../src/install/objects/object.ts';

const NAME = /^[A-Za-z0-9](?:[-A-Za-z0-9.]{0,200}[A-Za-z0-9])?$/;
/** API servers give no token that is shorter. */
const SHORTEST_MS = 600_000;

export default class RemoteSecretCreate extends BaseCommand {
  static override summary = 'Print the Secret by which the agents of other clusters read this one; apply it there.';
  static override description =
    `In the cluster that --context names, a service account is made that may list and watch Services, EndpointSlices, Pods, Nodes, Namespaces and WorkloadEntries and
nothing else, and a token of it. The Secret holds that token: whoever has it may read as much. The token does not end, until the Secret that it is from is
deleted in that cluster; with --expires-in it does, and the Secret is to be made and applied anew before.`;
  static override examples = [
    '<%= config.bin %> remote-secret create --context west --name west | kubectl apply --context east -f -',
    '<%= config.bin %> remote-secret create --context west --name west --expires-in 720h --server https://api.west.example:6443',
  ];
  static override flags = {
    context: Flags.string({
      helpValue: 'NAME',
      description: 'the kubeconfig’s context of the cluster that is to be read [default: its current one]',
    }),
    name: Flags.string({
      helpValue: 'NAME',
      description: 'what it is called in the others [default: the UID of its namespace kube-system]',
    }),
    server: Flags.string({ helpValue: 'URL', description: 'address of its API server for the others [default: the kubeconfig’s]' }),
    'istio-namespace': Flags.string({
      char: 'i',
      helpValue: 'NAMESPACE',
      description: 'namespace of the service account, and of the Secret in the other clusters',
      default: 'istio-system',
    }),
    'service-account': Flags.string({
      helpValue: 'NAMESPACE/NAME',
      description: 'a service account that is there already, with the permissions that it needs; nothing but a token is made',
    }),
    'expires-in': Flags.string({ helpValue: 'DURATION', description: 'a token that ends after so long, as far as the API server allows' }),
    timeout: Flags.string({ helpValue: 'DURATION', description: 'how long to wait for a token that does not end', default: '10s' }),
    output: flags.output('yaml', 'json'),
  };

  async run(): Promise<Manifest> {
    const { flags } = await this.parse(RemoteSecretCreate);
    const { name, server } = flags;
    if (name !== undefined && !NAME.test(name))
      throw usage(`--name ${JSON.stringify(name)} cannot be the name of a cluster`, 'Use letters, digits, dots and dashes.');
    if (server !== undefined && !(server.startsWith('https://') && URL.canParse(server)))
      throw usage(`--server ${JSON.stringify(server)} is no https:// URL`, 'Write it as a kubeconfig has it: https://HOST:PORT.');
    const lifeMs = flags['expires-in'] === undefined ? undefined : duration('expires-in', flags['expires-in']);
    if (lifeMs !== undefined && lifeMs < SHORTEST_MS)
      throw usage('--expires-in is less than 10 minutes', 'API servers give no such tokens.');
    const [{ openKubeConfig }, { createApiClient }, { createRemoteSecret, isForSelfOnly }, { manifestText }] = await Promise.all([
      import('../../src/kubernetes/kube-config.ts'),
      import('../../src/kubernetes/client.ts'),
      import('../../src/install/remote/create-remote-secret.ts'),
      import('../../src/output/install.ts'),
    ]);
    const access = openKubeConfig(flags.context);
    const client = createApiClient(access);
    const say = (text: string): void => void process.stderr.write(`note: ${text}\n`);
    try {
      const secret = await createRemoteSecret({
        client,
        access,
        name,
        server,
        istioNamespace: flags['istio-namespace'],
        account: accountOf(flags['service-account']),
        lifeMs,
        patienceMs: duration('timeout', flags.timeout),
        say,
      });
      if (isForSelfOnly(server ?? access.server))
        say(
          `${server ?? access.server} is this machine’s own address: where others reach that API server elsewhere, name it with --server`,
        );
      return await this.print(secret, flags.output === 'json' ? 'json' : undefined, (one) => manifestText([one]));
    } catch (error) {
      if ((error as Error).name !== 'ApiStatusError') throw error;
      throw new FairleadError('E_REMOTE_SECRET', (error as Error).message, { next: 'Nothing was printed; ask again.', cause: error });
    } finally {
      client.close();
    }
  }
}

function accountOf(text: string | undefined): { namespace: string; name: string } | undefined {
  if (text === undefined) return undefined;
  const [namespace = '', name = '', ...more] = text.split('/');
  if (namespace === '' || name === '' || more.length > 0)
    throw usage(`--service-account ${JSON.stringify(text)} is not NAMESPACE/NAME`, 'For instance istio-system/istio-reader.');
  return { namespace, name };
}

function duration(flag: string, text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms < 0) throw usage(`--${flag} ${JSON.stringify(text)} is not a duration`, 'Write 720h, 10m or 30s.');
  return ms;
}

function usage(message: string, next: string): FairleadError {
  return new FairleadError('E_USAGE', message, { next });
}
