import { join } from 'node:path';
import * as Flags from '@oclif/core/flags';
import { defaultDataDirectory } from '../../agent/data-directory.ts';
import { createLog, type LogLevel } from '../../agent/log.ts';
import { listenToSignals } from '../../agent/signals.ts';
import { BaseCommand } from '../../src/cli/base-command.ts';
import { identityFlags, identityOptions } from '../../src/cli/identity-flags.ts';
import { injectFlags } from '../../src/cli/inject-flags.ts';
import { openCluster, settingsFrom } from '../../src/cli/install-flags.ts';

export default class WebhookServe extends BaseCommand {
  static override enableJsonFlag = false;
  static override summary = 'Serve the admission webhooks of an installation: sidecars for pods, and the validation of Istio’s kinds.';
  static override description =
    `Its certificate comes from the mesh’s CA and is renewed at half of its life. The CA’s roots are kept in the webhook configurations, ahead of each certificate
under new ones, so that no rotation fails an admission. Logs to standard error; SIGTERM and SIGINT end it. \`install\` runs it; docs/injection.md describes it.`;
  static override examples = [
    '<%= config.bin %> webhook serve --settings settings.yaml --ca fairlead-ca.fairlead-system.svc:15012 --ca-roots roots.pem --ca-token-file token',
  ];
  static override flags = {
    listen: Flags.string({ helpValue: 'ADDRESS', description: 'address of the port', default: '0.0.0.0' }),
    port: Flags.integer({ helpValue: 'PORT', description: 'its number; 0 takes a free one', default: 15017, min: 0, max: 65535 }),
    host: Flags.string({
      helpValue: 'NAME',
      description: 'names by which the API server calls it [default: that of its Service]',
      multiple: true,
      multipleNonGreedy: true,
    }),
    settings: injectFlags.settings,
    set: injectFlags.set,
    'fairlead-namespace': injectFlags['fairlead-namespace'],
    revision: injectFlags.revision,
    context: Flags.string({
      helpValue: 'NAME',
      description: 'the kubeconfig’s context [default: its current one, or the pod’s own cluster]',
    }),
    ...identityFlags,
    data: Flags.string({ helpValue: 'DIR', description: 'data directory', env: 'FAIRLEAD_DATA' }),
    'log-format': Flags.string({ options: ['text', 'json'], default: 'text', description: 'form of the log' }),
    'log-level': Flags.string({
      options: ['debug', 'info', 'warning', 'error'],
      default: 'info',
      description: 'least severity that is logged',
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(WebhookServe);
    const log = createLog(flags['log-format'] as 'text' | 'json', flags['log-level'] as LogLevel, (line) => process.stderr.write(line));
    const { settings } = await settingsFrom(
      { file: flags.settings, set: flags.set, namespace: flags['fairlead-namespace'], revision: flags.revision },
      this.config.version,
    );
    const { ca, certificateLifeMs } = await identityOptions(flags);
    const signals = listenToSignals(['SIGTERM', 'SIGINT']);
    const client = await openCluster(flags.context);
    try {
      const [{ startWebhooks, webhookIdentity }, { injectSettingsOf }, { webhookHost, webhookNames }] = await Promise.all([
        import('../../agent/webhook-server.ts'),
        import('../../src/install/inject/from-settings.ts'),
        import('../../src/install/inject/webhooks.ts'),
      ]);
      const { injector, validator } = webhookNames(settings.revision);
      const trustDomain = settings.meshConfig.trustDomain || 'cluster.local';
      const server = await startWebhooks({
        host: flags.listen,
        port: flags.port,
        settings: injectSettingsOf(settings, ''),
        client,
        configurations: { mutating: [injector], validating: [validator], tagsOf: settings },
        ca,
        certificateLifeMs,
        trustDomain,
        identity: webhookIdentity(trustDomain, settings),
        dnsNames: flags.host ?? [webhookHost(settings)],
        dataDirectory: join(flags.data ?? defaultDataDirectory(), 'webhook'),
        log,
      });
      log.info('the webhooks are served', { address: `${flags.listen}:${server.port}` });
      await signals.first;
      await server.close();
    } finally {
      client.close();
      signals.close();
    }
  }
}
