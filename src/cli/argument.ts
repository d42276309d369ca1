import * as Args from '@oclif/core/args';

/**
 * An argument as the command line gives it. Without this, oclif takes what is piped in for an argument that is left out:
 * the dump of `--file -` would be the proxy's name.
 */
export const argument = (name: string, description: string) => Args.string({ name, description, ignoreStdin: true });
