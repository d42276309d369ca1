/** The kinds of extensions.istio.io: of each name both the schema (a value) and the type of the spec it describes. */
export * from './extensions/traffic-extension.ts';
export * from './extensions/wasm.ts';
export * from './extensions/wasm-plugin.ts';
