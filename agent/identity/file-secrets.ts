/** Certificates in files: `file-cert:CHAIN~KEY`, `file-root:FILE`, `file-root:system`. A changed file counts at once. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { getCACertificates } from 'node:tls';
import { type Watched, watchPaths } from '../source/folder.ts';
import { certificateFault, rootsFault } from './check-secret.ts';
import type { Made } from './resource-secrets.ts';

export interface FileSecrets {
  /** These files are watched from now on, and no others. */
  watch(names: readonly string[]): Promise<void>;
  get(name: string): Made;
  close(): void;
}

const CERT = 'file-cert:';
const ROOT = 'file-root:';

export const isFileSecret = (name: string): boolean => name.startsWith(CERT) || name.startsWith(ROOT);

/** @param changed is called after each burst of changes */
export function createFileSecrets(changed: () => void): FileSecrets {
  let watched: Watched | undefined;
  let paths = '';
  let closed = false;
  return {
    async watch(names) {
      const now = [...new Set(names.flatMap(filesOf))].sort();
      if (now.join('\n') === paths) return;
      paths = now.join('\n');
      const next = now.length > 0 ? await watchPaths(now, changed) : undefined;
      watched?.close();
      watched = next;
      if (closed) next?.close();
    },
    get: read,
    close() {
      closed = true;
      watched?.close();
    },
  };
}

/** Paths are relative to where the agent was started, as Istio's are to its proxy's. */
function filesOf(name: string): string[] {
  if (name === `${ROOT}system`) return [];
  const parts = name.startsWith(CERT) ? name.slice(CERT.length).split('~') : [name.slice(ROOT.length)];
  return parts.map((path) => resolve(path));
}

function read(name: string): Made {
  if (name === `${ROOT}system`) return { secret: { name, validationContext: { trustedCa: { inlineString: systemRoots() } } } };
  const files = filesOf(name);
  const texts: string[] = [];
  for (const file of files) {
    try {
      texts.push(readFileSync(file, 'utf8'));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return { problem: `${file} cannot be read: ${code === 'ENOENT' ? 'it is not there' : (code ?? message)}` };
    }
  }
  const [first = '', second = ''] = texts;
  const fault = name.startsWith(CERT) ? certificateFault(first, second) : rootsFault(first);
  if (fault) return { problem: `${files.join(' and ')}: ${fault}` };
  if (name.startsWith(ROOT)) return { secret: { name, validationContext: { trustedCa: { inlineString: first } } } };
  return { secret: { name, tlsCertificate: { certificateChain: { inlineString: first }, privateKey: { inlineString: second } } } };
}

let system: string | undefined;

/** The operating system's roots; Node's own where there are none. */
function systemRoots(): string {
  if (system === undefined) {
    const found = getCACertificates('system');
    system = (found.length > 0 ? found : getCACertificates('default')).map((pem) => `${pem.trimEnd()}\n`).join('');
  }
  return system;
}
