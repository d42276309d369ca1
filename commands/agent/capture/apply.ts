import * as Flags from '@oclif/core/flags';
import { applyCapture } from '../../../agent/capture.ts';
import { BaseCommand } from '../../../src/cli/base-command.ts';
import { captureFlags, captureSettings } from '../../../src/cli/capture-flags.ts';
import { ruleset } from '../../../src/install/capture/ruleset.ts';
import type { CaptureSettings } from '../../../src/install/capture/settings.ts';

export interface CaptureApplied extends CaptureSettings {
  applied: boolean;
}

export default class AgentCaptureApply extends BaseCommand {
  static override summary = 'Redirect the TCP connections of this host or pod to its proxy, by rules of nftables.';
  static override description =
    `Needs root or CAP_NET_ADMIN, nft, and an agent whose engine is Envoy with workloads of interception mode REDIRECT. One table, inet
fairlead, is put in place as a whole; applying again replaces it. Connections that exist stay as they are. The
rules are gone after a restart of the host.`;
  static override examples = [
    '<%= config.bin %> agent capture apply --proxy-user fairlead --dry-run',
    '<%= config.bin %> agent capture apply --proxy-user fairlead --include-inbound-ports 8080',
  ];
  static override flags = {
    ...captureFlags,
    'dry-run': Flags.boolean({ description: 'ask the kernel whether it takes the rules, and show them' }),
  };

  async run(): Promise<CaptureApplied> {
    const { flags } = await this.parse(AgentCaptureApply);
    const settings = captureSettings(flags);
    const dryRun = flags['dry-run'];
    await applyCapture(settings, { check: dryRun });
    const { inboundPort, outboundPort } = settings;
    return this.print({ applied: !dryRun, ...settings }, undefined, () =>
      dryRun
        ? ruleset(settings)
        : `connections are captured: to the application by port ${inboundPort}, from it by port ${outboundPort} of the proxy`,
    );
  }
}
