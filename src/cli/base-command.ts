/** What all commands share: flags, output by format, and where the configuration comes from by default. */
import { existsSync } from 'node:fs';
import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import type { ConfigSource } from '../config/sources/config-source.ts';
import { FairleadError } from '../errors.ts';

/** A command reads flags, calls one library function and hands its result to src/output; `run()` returns the result. */
export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true;
  static override baseFlags = {
    'no-color': Flags.boolean({ description: 'no colours (NO_COLOR is honoured too)', helpGroup: 'GLOBAL' }),
  };

  /** Errors are printed in one place, src/cli/report-error.ts; oclif would print JSON here first. */
  protected override async catch(error: Error): Promise<never> {
    throw error;
  }

  /**
   * Prints a result in the format that was asked for and returns it, for `--json`.
   * @param text how people read it; called only when needed
   */
  protected async print<T>(result: T, format: string | undefined, text: (result: T) => string): Promise<T> {
    if (this.jsonEnabled()) return result;
    if (format === 'json') this.write(`${JSON.stringify(result, null, 2)}\n`);
    else if (format === 'yaml') {
      const { stringify } = await import('yaml');
      this.write(stringify(result, { aliasDuplicateObjects: false, lineWidth: 0 }));
    } else {
      const shown = text(result).replace(/\n+$/, '');
      if (shown !== '') this.write(`${shown}\n`);
    }
    return result;
  }

  protected write(text: string): void {
    process.stdout.write(text);
  }

  /** Writes piece by piece, at the pace of whoever reads: what a pipe does not take yet is not piled up. */
  protected async writeAll(pieces: AsyncIterable<string>): Promise<void> {
    const { stdout } = process;
    for await (const piece of pieces) {
      if (stdout.write(piece) || stdout.destroyed) continue;
      await new Promise<void>((resolve) => {
        const go = (): void => {
          stdout.off('drain', go).off('close', go).off('error', go);
          resolve();
        };
        stdout.on('drain', go).on('close', go).on('error', go);
      });
    }
  }

  /** Colours on standard output: only on a terminal, and never against NO_COLOR. */
  protected get color(): boolean {
    return Boolean(process.stdout.isTTY) && !process.env['NO_COLOR'] && process.env['FORCE_COLOR'] !== '0';
  }

  /** Colours on standard error, as above. */
  protected get errorColor(): boolean {
    return Boolean(process.stderr.isTTY) && !process.env['NO_COLOR'] && process.env['FORCE_COLOR'] !== '0';
  }

  /** The paths to read: those named, else ./mesh unless a cluster is read. Throws E_USAGE when there is nothing to read. */
  protected configPaths(named: readonly string[] | undefined, besides?: ConfigSource): string[] {
    if (named && named.length > 0) return [...named];
    if (besides !== undefined) return [];
    if (existsSync('mesh')) return ['mesh'];
    throw new FairleadError('E_USAGE', 'no configuration named, and there is no folder ./mesh', {
      next: 'Name files or folders with -f PATH, or read a cluster with --kubernetes.',
    });
  }
}
