import type { DirectResponseActionJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { ProblemList } from './problems.ts';

/** A direct response's status and body. Bodies from files and the environment are read elsewhere: refused here. */
export function compileDirectResponse(
  json: DirectResponseActionJson,
  maxBytes: number,
  path: string,
  problems: ProblemList,
): { status: number; body: Buffer } {
  const status = json.status ?? 0;
  if (status < 200 || status >= 600) problems.invalid(`${path}.status`, `${status} is not a status between 200 and 599`);
  const { body: source } = json;
  let body = Buffer.alloc(0);
  if (source?.inlineString !== undefined) body = Buffer.from(source.inlineString, 'utf8');
  else if (source?.inlineBytes !== undefined) body = Buffer.from(source.inlineBytes, 'base64');
  else if (source !== undefined) problems.unsupported(`${path}.body`, 'the body must be inline');
  if (body.length > maxBytes)
    problems.invalid(`${path}.body`, `${body.length} bytes are more than the ${maxBytes} that maxDirectResponseBodySizeBytes allows`);
  return { status, body };
}
