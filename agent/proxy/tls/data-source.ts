import { readFileSync } from 'node:fs';
import type { DataSourceJson } from '#envoy-api/envoy/config/core/v3/base_pb.js';

/** The text of a DataSource; undefined when it is not set or empty. Throws when a file or variable cannot be read. */
export function readDataSource(json: DataSourceJson | undefined): string | undefined {
  if (json === undefined) return undefined;
  const { inlineString, inlineBytes, filename, environmentVariable } = json;
  let text = inlineString;
  if (inlineBytes !== undefined) text = Buffer.from(inlineBytes, 'base64').toString('utf8');
  else if (filename !== undefined) text = readFileSync(filename, 'utf8');
  else if (environmentVariable !== undefined) {
    text = process.env[environmentVariable];
    if (text === undefined) throw new Error(`there is no environment variable ${environmentVariable}`);
  }
  return text === '' ? undefined : text;
}
