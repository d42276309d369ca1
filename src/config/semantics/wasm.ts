import type { TrafficExtension, WasmPlugin } from '../kinds/extensions.ts';
import type { FieldPath, Resource } from '../resource.ts';
import type { Report } from '../validation/report.ts';
import { checkPolicyTarget } from './policy-target.ts';

const SCHEMES = new Set(['file:', 'http:', 'https:', 'oci:']);

type Wasm = Pick<WasmPlugin, 'url' | 'vmConfig'>;

/** Istio's validation of WasmPlugins (IST0106); the schema has lengths, ports and the form of the checksum. */
export function checkWasmPlugin(resource: Resource, report: Report): void {
  const spec = resource.spec as WasmPlugin;
  checkPolicyTarget(spec, report);
  checkWasm(spec, ['spec'], report);
}

/** Istio's validation of TrafficExtensions (IST0106). */
export function checkTrafficExtension(resource: Resource, report: Report): void {
  const spec = resource.spec as TrafficExtension;
  checkPolicyTarget(spec, report);
  if (spec.wasm === undefined && spec.lua === undefined) {
    report.error(['spec'], 'semantic/empty', 'the extension needs `wasm` or `lua`', { atKey: true });
  }
  if (spec.wasm) checkWasm(spec.wasm, ['spec', 'wasm'], report);
  const code = spec.lua?.inlineCode;
  if (code !== undefined && Buffer.byteLength(code) > 65536) {
    report.error(['spec', 'lua', 'inlineCode'], 'semantic/lua', `the script has ${Buffer.byteLength(code)} bytes, the limit is 65536`);
  }
}

function checkWasm({ url, vmConfig }: Wasm, path: FieldPath, report: Report): void {
  const parsed = URL.parse(url) ?? URL.parse(`http://${url}`);
  // `registry:5000/image` has no scheme: what stands before the colon is a host.
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(url) ? parsed?.protocol : '';
  if (url !== '' && parsed === null) report.error([...path, 'url'], 'semantic/url', `${JSON.stringify(url)} is no URL`);
  else if (scheme !== '' && scheme !== undefined && !SCHEMES.has(scheme)) {
    report.error([...path, 'url'], 'semantic/url', `a module cannot be fetched by ${scheme}`, {
      hint: 'Use `oci://`, `http://`, `https://` or `file://`',
    });
  }
  const names = new Set<string>();
  for (const [i, { name, value, valueFrom = 'INLINE' }] of (vmConfig?.env ?? []).entries()) {
    const at = [...path, 'vmConfig', 'env', i];
    if (names.has(name)) {
      report.error([...at, 'name'], 'semantic/duplicate-name', `the variable ${JSON.stringify(name)} is there twice`);
      return;
    }
    names.add(name);
    if (value && valueFrom !== 'INLINE') {
      report.error([...at, 'value'], 'semantic/env', '`value` is for `valueFrom: INLINE` only', { atKey: true });
      return;
    }
  }
}
