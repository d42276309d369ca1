/** Fields of Wasm extensions, shared by WasmPlugin and TrafficExtension. */
import { choice, list, message, string, struct } from '../schema.ts';

export const EnvVar = message(
  'An environment variable.',
  {
    name: string('Its name.', { minLength: 1, maxLength: 256 }),
    valueFrom: choice(['INLINE', 'HOST'], 'INLINE, the default: `value`. HOST: the variable of the same name of the proxy.'),
    value: string('Its value, for INLINE.', { maxLength: 2048 }),
  },
  { required: ['name'] },
);

export const wasmFields = {
  url: string('Where the module is: `oci://`, `http://`, `https://` or `file://`; without a scheme `oci://`.', { minLength: 1 }),
  sha256: string('SHA-256 of the module or image, in hex.', { pattern: '^$|^[a-f0-9]{64}$' }),
  imagePullPolicy: choice(
    ['UNSPECIFIED_POLICY', 'IfNotPresent', 'Always'],
    'When the module is fetched. IfNotPresent: once. Always: whenever this changes. Default: Always for the tag `latest`, else IfNotPresent.',
  ),
  imagePullSecret: string('Secret of the same namespace with credentials for the registry.', { minLength: 1, maxLength: 253 }),
  verificationKey: string('Nothing acts on it.'),
  pluginConfig: struct('Configuration that the module is given.'),
  pluginName: string('Name of the plugin within the module (its root id).', { minLength: 1, maxLength: 256 }),
  failStrategy: choice(
    ['FAIL_CLOSE', 'FAIL_OPEN', 'FAIL_RELOAD'],
    'What becomes of requests when the module breaks. FAIL_CLOSE, the default: 503. FAIL_OPEN: they pass. FAIL_RELOAD: 503 until it is loaded again.',
  ),
  vmConfig: message('The virtual machine that it runs in.', { env: list(EnvVar, 'Environment variables.', { maxItems: 256 }) }),
  type: choice(['UNSPECIFIED_PLUGIN_TYPE', 'HTTP', 'NETWORK'], 'HTTP, the default: an HTTP filter. NETWORK: a network filter.'),
};
