/**
 * `npm run bench [-- NAME …]`: measures Fairlead side by side with peers, in one run, and prints ratios.
 *
 * Machines differ and are noisy: read the ratios, not the absolute figures. Nothing here passes or fails.
 */
const BENCHES: Record<string, () => Promise<void>> = {
  start: async () => (await import('./start.ts')).benchStart(),
  parse: async () => (await import('./parse.ts')).benchParse(),
  analyze: async () => (await import('./analyze.ts')).benchAnalyze(),
  lsp: async () => (await import('./lsp.ts')).benchLsp(),
  config: async () => (await import('./config.ts')).benchConfig(),
  push: async () => (await import('./push.ts')).benchPush(),
  explain: async () => (await import('./explain.ts')).benchExplain(),
  test: async () => (await import('./test.ts')).benchTest(),
  diff: async () => (await import('./diff.ts')).benchDiff(),
  proxy: async () => (await import('./proxy.ts')).benchProxy(),
  tls: async () => (await import('./tls.ts')).benchTls(),
  ca: async () => (await import('./ca.ts')).benchCa(),
  rotation: async () => (await import('./rotation.ts')).benchRotation(),
  kubernetes: async () => (await import('./kubernetes.ts')).benchKubernetes(),
  memory: async () => (await import('./memory.ts')).benchMemory(),
};

const names = process.argv.slice(2);
const unknown = names.filter((n) => !Object.hasOwn(BENCHES, n));
if (unknown.length > 0) {
  console.error(`no bench ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}`);
  process.exitCode = 2;
} else {
  for (const name of names.length > 0 ? names : Object.keys(BENCHES)) {
    console.log(`\n== ${name}`);
    await BENCHES[name]?.();
  }
}
