/** Builds the API server of the tests, once a machine, before any test waits for it. Nothing to do where it is there, or Go is not. */
import { kubeBinaries } from '../test/support/kube-apiserver.ts';

const started = performance.now();
const found = kubeBinaries();
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log('missing' in found ? `no kube-apiserver, its tests will be skipped: ${found.missing}` : `${found.apiserver} (${seconds} s)`);
