/**
 * How long an editor waits for `fairlead lsp`, as a process with a real client, in a mesh of many services.
 *
 *   node bench/lsp.ts [SERVICES …]
 *
 * Each service has a Deployment, a Service, a VirtualService of three routes and a DestinationRule of two subsets, in a file of its own; one of
 * them is edited. Milliseconds are medians of 15 edits, from the keystroke until the answer is there.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { startEditor } from '../test/lsp/editor.ts';
import { healthyYaml } from './analyze.ts';
import { figures, median } from './figures.ts';
import { serviceYaml } from './service-yaml.ts';

const bin = fileURLToPath(new URL('../bin/fairlead.js', import.meta.url));
const EDITS = 15;

async function measure(dir: string, services: number, make: (i: number) => string): Promise<string[]> {
  const folder = mkdtempSync(join(dir, 'mesh-'));
  for (let i = 0; i < services; i++) writeFileSync(join(folder, `svc-${i}.yaml`), make(i));
  const file = join(folder, 'svc-7.yaml');
  const uri = pathToFileURL(file).href;
  const text = make(7);
  const started = performance.now();
  const editor = await startEditor([folder], { command: [bin, 'lsp', '--stdio'] });
  try {
    editor.open(uri, text);
    await editor.diagnostics(uri, () => true);
    const ready = performance.now() - started;
    const times: Record<'diagnostics' | 'hover' | 'completion', number[]> = { diagnostics: [], hover: [], completion: [] };
    const lines = text.split('\n');
    const line = lines.findIndex((l) => l.includes('- destination:')) + 1;
    for (let i = 0; i < EDITS; i++) {
      const version = i + 2;
      const at = performance.now();
      editor.change(uri, text.replace('host: svc-7\n', `host: svc-${i % 2 === 0 ? 'none' : 7}\n`));
      await editor.diagnostics(uri, (_, params) => params.version === version);
      times.diagnostics.push(performance.now() - at);
      const position = { line, character: lines[line]!.length - 1 };
      const asked = performance.now();
      await editor.connection.sendRequest('textDocument/hover', { textDocument: { uri }, position });
      times.hover.push(performance.now() - asked);
      const completing = performance.now();
      await editor.complete(uri, position);
      times.completion.push(performance.now() - completing);
    }
    const rss = Number(/VmHWM:\s+(\d+)/.exec(readStatus(editor.child.pid!))?.[1] ?? Number.NaN) / 1024;
    const findings = new Map(editor.published.map((params) => [params.uri, params.diagnostics.length]));
    const count = [...findings.values()].reduce((sum, n) => sum + n, 0);
    return [String(services), String(count), ...[ready, ...Object.values(times).map(median), rss].map((value) => value.toFixed(0))];
  } finally {
    await editor.quit();
  }
}

/** Linux alone tells. */
function readStatus(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}

export async function benchLsp(sizes: readonly number[] = [100, 1000, 5000]): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'fairlead-bench-'));
  try {
    const rows: string[][] = [
      ['services', 'findings', 'ms to the first diagnostics', 'after an edit', 'hover', 'completion', 'MiB at most'],
    ];
    for (const make of [healthyYaml, serviceYaml]) for (const services of sizes) rows.push(await measure(dir, services, make));
    console.log(figures(rows));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const sizes = process.argv.slice(2).map(Number);
  await benchLsp(sizes.length > 0 ? sizes : undefined);
}
