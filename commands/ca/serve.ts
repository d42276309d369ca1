import { hostname } from 'node:os';
import * as Flags from '@oclif/core/flags';
import { defaultCaDirectory } from '../../agent/ca-directory.ts';
import { createLog } from '../../agent/log.ts';
import { listenToSignals } from '../../agent/signals.ts';
import { BaseCommand } from '../../src/cli/base-command.ts';
import { caDir, passphraseFile, passphraseOf, stateSecret } from '../../src/cli/ca-flags.ts';
import { FairleadError } from '../../src/errors.ts';

export default class CaServe extends BaseCommand {
  static override enableJsonFlag = false;
  static override summary =
    'Serve the certificate authority: sign requests over mutual TLS, with join tokens and JSON Web Tokens, and for Istio’s agents.';
  static override description = [
    'Listens on the Unix socket ca.sock in the CA’s directory, for its owner alone, and with TLS on --listen. Clients show a certificate of the mesh, a join token or a token of an issuer that the policy names.',
    'A changed state or policy counts at once. Logs to standard error; SIGTERM and SIGINT end it.',
  ].join(' ');
  static override examples = [
    '<%= config.bin %> ca serve',
    '<%= config.bin %> ca serve --listen 0.0.0.0 --host ca.example.com',
    '<%= config.bin %> ca serve -k --listen 0.0.0.0 --roots-config-map fairlead-ca-roots',
    '<%= config.bin %> ca serve -k --signer fairlead.dev/mesh --node-agents fairlead-system/fairlead-agent',
  ];
  static override flags = {
    'ca-dir': caDir,
    listen: Flags.string({ helpValue: 'ADDRESS', description: 'address of the port', default: '127.0.0.1' }),
    port: Flags.integer({ helpValue: 'PORT', description: 'of JSON and gRPC; 0 takes a free one', default: 15012, min: 0, max: 65535 }),
    host: Flags.string({
      helpValue: 'NAME',
      description: 'name or address that clients use; may be given again',
      multiple: true,
      multipleNonGreedy: true,
    }),
    kubernetes: Flags.boolean({
      char: 'k',
      description: 'take tokens of service accounts of the kubeconfig’s cluster (or of the pod’s own), which its API server checks',
    }),
    context: Flags.string({
      helpValue: 'NAME',
      description: 'the kubeconfig’s context [default: its current one]',
      dependsOn: ['kubernetes'],
    }),
    'token-audience': Flags.string({
      helpValue: 'AUDIENCE',
      description: 'what those tokens must be meant for [default: istio-ca]',
      dependsOn: ['kubernetes'],
    }),
    'allow-host': Flags.string({
      helpValue: 'NAMESPACE/ACCOUNT=NAME',
      description:
        'host name that a service account may have in its certificates, besides what the policy allows; * stands for anything within a segment',
      multiple: true,
      multipleNonGreedy: true,
    }),
    'roots-config-map': Flags.string({
      helpValue: '[NAMESPACE/]NAME',
      description: 'ConfigMap in which the roots are kept, under root-cert.pem',
      dependsOn: ['kubernetes'],
    }),
    signer: Flags.string({
      helpValue: 'NAME',
      description: 'approve and sign the CertificateSigningRequests of this signer, as fairlead.dev/mesh; one CA alone may have the name',
      dependsOn: ['kubernetes'],
    }),
    'node-agents': Flags.string({
      helpValue: 'NAMESPACE/NAME',
      description:
        'service account of agents that may ask for certificates of the pods of their own node; * stands for anything within a segment',
      multiple: true,
      multipleNonGreedy: true,
      dependsOn: ['signer'],
    }),
    'state-secret': { ...stateSecret, dependsOn: ['kubernetes'] },
    advertise: Flags.string({
      helpValue: 'ADDRESS',
      description: 'address by which other pods of this CA reach this one [default: the host’s name]',
      dependsOn: ['state-secret'],
    }),
    'peer-port': Flags.integer({
      helpValue: 'PORT',
      description: 'port at that address, open while this pod leads [default: 15013]',
      min: 1,
      max: 65535,
      dependsOn: ['state-secret'],
    }),
    'passphrase-file': passphraseFile,
    'log-format': Flags.string({ options: ['text', 'json'], default: 'text', description: 'form of the log' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(CaServe);
    const log = createLog(flags['log-format'] as 'text' | 'json', 'info', (line) => process.stderr.write(line));
    const passphrase = await passphraseOf(flags['passphrase-file']);
    const hostNames = (flags['allow-host'] ?? []).map(allowedHost);
    const signals = listenToSignals(['SIGTERM', 'SIGINT']);
    try {
      const { openCaCluster, serveCa, serveSharedCa } = await import('../../agent/ca-server.ts');
      const cluster = flags.kubernetes
        ? await openCaCluster({
            context: flags.context,
            audience: flags['token-audience'] ?? 'istio-ca',
            rootsConfigMap: flags['roots-config-map'],
            signerName: flags.signer === undefined ? undefined : signerName(flags.signer),
            nodeAgents: (flags['node-agents'] ?? []).map(nodeAgents),
          })
        : undefined;
      const options = { host: flags.listen, port: flags.port, names: flags.host ?? [], passphrase, hostNames, cluster, log };
      const directory = flags['ca-dir'] ?? defaultCaDirectory();
      if (flags['state-secret'] !== undefined) {
        const { context, advertise = hostname(), 'peer-port': peerPort = 15013, 'state-secret': secret } = flags;
        const shared = await serveSharedCa(directory, { ...options, context, stateSecret: secret, name: hostname(), advertise, peerPort });
        log.info('the CA takes connections', { address: `${flags.listen}:${flags.port}`, secret });
        await signals.first;
        return await shared.close();
      }
      const server = await serveCa(directory, options);
      log.info('the CA is served', { address: `${flags.listen}:${server.port}`, socket: server.socket });
      await signals.first;
      await server.close();
    } finally {
      signals.close();
    }
  }
}

/** `fairlead-system/web=web.fairlead-system.svc`. Throws E_USAGE. */
function allowedHost(typed: string): { namespace: string; account: string; dnsName: string } {
  const [, namespace = '', account = '', dnsName = ''] = /^([a-z0-9-]+)\/([a-z0-9.*-]+)=([a-z0-9.*-]+)$/.exec(typed) ?? [];
  if (dnsName !== '') return { namespace, account, dnsName };
  throw new FairleadError('E_USAGE', `--allow-host ${JSON.stringify(typed)} is not NAMESPACE/ACCOUNT=NAME`, {
    next: 'Write --allow-host fairlead-system/web=web.fairlead-system.svc.',
  });
}

/** Throws E_USAGE. https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#signers */
function signerName(typed: string): string {
  if (/^[a-z0-9.-]+\.[a-z0-9-]+\/[a-z0-9.-]+$/.test(typed) && !/^(.*[.])?(kubernetes|k8s)[.]io[/]/.test(typed)) return typed;
  throw new FairleadError('E_USAGE', `--signer ${JSON.stringify(typed)} is no name of a signer of one’s own`, {
    next: 'Write --signer fairlead.dev/mesh.',
  });
}

/** Throws E_USAGE. */
function nodeAgents(typed: string): string {
  if (/^[a-z0-9-]+\/[a-z0-9.*-]+$/.test(typed)) return typed;
  throw new FairleadError('E_USAGE', `--node-agents ${JSON.stringify(typed)} is not NAMESPACE/NAME`, {
    next: 'Write --node-agents fairlead-system/fairlead-agent.',
  });
}
