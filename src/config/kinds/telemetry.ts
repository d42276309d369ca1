/** The kind of telemetry.istio.io: of each name both the schema (a value) and the type of the spec it describes. */
export * from './telemetry/telemetry.ts';
export * from './telemetry/telemetry-tracing.ts';
