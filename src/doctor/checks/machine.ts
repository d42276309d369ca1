/** Where everything else stands: the data directory and the clock. */
import type { ClockFacts, DirectoryFacts } from '../probes.ts';
import type { Check } from '../types.ts';

interface Probes {
  dataDirectory(): Promise<DirectoryFacts>;
  clock(): Promise<ClockFacts>;
}

const MIB = 1024 * 1024;
/** Below this the next snapshot of a large mesh may not fit. */
const TOO_LITTLE = 64 * MIB;
const LITTLE = 512 * MIB;
/** A second file system's clock may be a little ahead. */
const AHEAD_MS = 60_000;
const octal = (mode: number): string => (mode & 0o777).toString(8).padStart(4, '0');

/** @param fresh before an install: a directory that is not there yet is as it should be */
export const machineChecks = (fresh: boolean): readonly Check<Probes>[] => [
  {
    id: 'data/directory',
    what: 'the data directory can be written',
    why: 'The agent keeps its lock, its socket and the last good configuration there; without it no agent starts.',
    severity: 'error',
    next: 'Make it writable for the user that runs the agent, or name another with --data DIR or FAIRLEAD_DATA.',
    async run({ dataDirectory }) {
      const { path, exists, unwritable, mine } = await dataDirectory();
      if (unwritable !== undefined) return { state: 'failed', message: `${path}: ${unwritable}` };
      if (exists) return { state: 'ok', message: mine ? path : `${path}, which belongs to another user` };
      if (fresh) return { state: 'ok', message: `${path} will be made` };
      const next = 'Start an agent with `fairlead up DIR` or `fairlead agent run`, or name its directory with --data DIR.';
      return { state: 'failed', severity: 'warning', message: `${path} is not there: no agent has run with it`, next };
    },
  },
  {
    id: 'data/permissions',
    what: 'nobody else can read or write the data directory',
    why: 'Whoever can write there can put a socket or a configuration in the agent’s place; whoever can read there reads keys.',
    severity: 'error',
    next: 'chmod 0700 the directory and 0600 the files, and see who made them so.',
    after: ['data/directory'],
    async run({ dataDirectory }) {
      const { path, exists, mode, files } = await dataDirectory();
      if (!exists) return { state: 'nothing', message: 'the directory is not there' };
      const wrong = [
        ...((mode & 0o077) !== 0 ? [`${path} is ${octal(mode)}, not 0700`] : []),
        // To connect to a socket takes leave to write; Envoy makes its own so that others may look at it.
        ...files.filter((f) => (f.mode & (f.socket ? 0o022 : 0o077)) !== 0).map((f) => `${f.name} is ${octal(f.mode)}, not 0600`),
      ];
      if (wrong.length === 0)
        return { state: 'ok', message: `only its owner can: 0700, ${files.length} file${files.length === 1 ? '' : 's'}` };
      return {
        state: 'failed',
        message: `others may get at ${wrong.length === 1 ? 'it' : `${wrong.length} of its files`}`,
        details: wrong,
      };
    },
  },
  {
    id: 'data/space',
    what: 'there is space for the data directory',
    why: 'A full disk keeps the agent from saving the configuration that it would start with, and from writing logs.',
    severity: 'error',
    next: 'Free space, or name another directory with --data DIR.',
    after: ['data/directory'],
    async run({ dataDirectory }) {
      const { free } = await dataDirectory();
      if (free === undefined) return { state: 'nothing', message: 'the file system does not say how much is free' };
      const message = `${free >= 10_240 * MIB ? `${Math.round(free / 1024 / MIB)} GiB` : `${Math.round(free / MIB)} MiB`} free`;
      if (free >= LITTLE) return { state: 'ok', message };
      return { state: 'failed', message, severity: free < TOO_LITTLE ? 'error' : 'warning' };
    },
  },
  {
    id: 'clock/sane',
    what: 'the clock is right, as far as can be told',
    why: 'Certificates and tokens are valid from and to a time: with a wrong clock they are refused.',
    severity: 'error',
    next: 'Set the clock, and keep it with NTP (timedatectl, chronyc tracking).',
    async run(probes) {
      const { now, built, moved, elapsed } = await probes.clock();
      if (now < built) return { state: 'failed', message: `it is ${iso(now)}, before this version was made (${iso(built)})` };
      const { files, exists } = await probes.dataDirectory();
      const newest = exists ? files.reduce((max, f) => Math.max(max, f.modified), 0) : 0;
      if (newest > now + AHEAD_MS)
        return {
          state: 'failed',
          severity: 'warning',
          message: `it is ${iso(now)}, but a file of the agent is from ${iso(newest)}: the clock went back`,
        };
      if (Math.abs(moved - elapsed) > Math.max(200, elapsed))
        return {
          state: 'failed',
          severity: 'warning',
          message: `it moved ${Math.round(moved)} ms while ${Math.round(elapsed)} ms went by`,
        };
      return { state: 'ok', message: iso(now) };
    },
  },
];

const iso = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
