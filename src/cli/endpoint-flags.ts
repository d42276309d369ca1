import * as Flags from '@oclif/core/flags';

/** Which endpoints are shown. */
export const endpointFlags = {
  address: Flags.string({ helpValue: 'ADDRESS', description: 'only endpoints with this address' }),
  port: Flags.integer({ helpValue: 'PORT', min: 0, max: 65535, description: 'only endpoints with this port' }),
  cluster: Flags.string({ helpValue: 'NAME', description: 'only endpoints of this cluster: its whole name' }),
  status: Flags.string({ helpValue: 'STATUS', description: 'only endpoints in this state: healthy, unhealthy, draining, unknown' }),
};
