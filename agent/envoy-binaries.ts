/** The Envoys on this machine, for commands: which there are, which is taken, and a new one. */
export { type EnvoyBinary, type EnvoyCandidate, envoyCandidates, findEnvoy, requireEnvoy } from './envoy/find.ts';
export { type InstallResult, installEnvoy } from './envoy/install.ts';
export { type InstalledEnvoy, installedEnvoys, installFolder } from './envoy/installed.ts';
export { TESTED_VERSION } from './envoy/version.ts';
