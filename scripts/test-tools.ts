/** Builds what tests need and takes minutes, once a machine, before any test waits for it. Nothing to do where it is there, or Go is not. */
import { helm } from '../test/support/helm.ts';
import { kubeBinaries } from '../test/support/kube-apiserver.ts';
import { realNft } from '../test/support/nft.ts';
import { gatewayApiDefinitions, istioDefinitions } from '../test/support/real-definitions.ts';

function tell(name: string, make: () => string | { missing: string }): void {
  const started = performance.now();
  const found = make();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(typeof found === 'string' ? `${found} (${seconds} s)` : `no ${name}, its tests will be skipped: ${found.missing}`);
}

tell('kube-apiserver', () => {
  const found = kubeBinaries();
  return 'missing' in found ? found : found.apiserver;
});
tell('Helm', () => helm({ build: true }));
tell('nft', () => {
  const found = realNft();
  return found === '' ? 'nft' : found;
});
for (const [name, definitions] of [
  ['the definitions of the Gateway API', gatewayApiDefinitions],
  ['the definitions of Istio', istioDefinitions],
] as const)
  tell(name, () => {
    const found = definitions();
    return 'missing' in found ? found : `${name}: ${found.length}`;
  });
