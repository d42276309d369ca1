/** Where every command line starts. The only place that turns an error into words and an exit code. */
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { reportError } from './report-error.ts';

/**
 * Runs one command line. Sets `process.exitCode`, never calls `process.exit`.
 * @param argv without node and script
 * @param binUrl `import.meta.url` of the file in bin/, from which the package's root is found
 */
export async function main(argv: string[], binUrl: string): Promise<void> {
  enableCompileCache();
  if (process.env['NO_COLOR'] || argv.includes('--no-color')) process.env['FORCE_COLOR'] = '0';
  try {
    const { run } = await import('@oclif/core/run');
    await run(argv, { root: fileURLToPath(new URL('..', binUrl)), enablePerf: false });
  } catch (error) {
    process.exitCode = await reportError(error, argv);
  }
}
