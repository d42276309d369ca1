import type { ExtAuthzJson } from '#envoy-api/envoy/extensions/filters/network/ext_authz/v3/ext_authz_pb.js';
import { compileMetadataTest } from '../../../src/routing/metadata-matcher.ts';
import { ProblemList } from '../../../src/routing/problems.ts';
import type { ConnectionFilter, Denial } from '../tcp/admission.ts';
import type { Counter } from '../types.ts';
import type { ConnectionFilterFactory } from './connection-filter.ts';
import { encodeCheckRequest } from './ext-authz/check-request.ts';
import { compileGrpcClient } from './ext-authz/grpc-client.ts';
import { checkFields } from './unsupported.ts';

const METADATA = 'envoy.filters.network.ext_authz';

/** Asks a service of your own whether a connection may pass, before anything is connected for it. Envoy: external authorization network filter. */
export const createNetworkExtAuthz: ConnectionFilterFactory = (config, { clusters, stats, path }) => {
  const problems = new ProblemList();
  const json = config as ExtAuthzJson;
  checkFields('NetworkExtAuthz', json, path, problems);
  if (!json.statPrefix) problems.invalid(`${path}.statPrefix`, 'is required');
  if (json.grpcService === undefined) problems.invalid(`${path}.grpcService`, 'is required');
  const ask = compileGrpcClient(json.grpcService ?? {}, `${path}.grpcService`, problems);
  const wanted =
    json.filterEnabledMetadata === undefined
      ? undefined
      : compileMetadataTest(json.filterEnabledMetadata, `${path}.filterEnabledMetadata`, problems);
  const prefix = `ext_authz.${json.statPrefix ?? ''}.`;
  const counter = (name: string): Counter => stats.counter(prefix + name);
  const counters = {
    total: counter('total'),
    ok: counter('ok'),
    denied: counter('denied'),
    error: counter('error'),
    disabled: counter('disabled'),
    failureModeAllowed: counter('failure_mode_allowed'),
    closed: counter('cx_closed'),
  };
  const active = stats.gauge(`${prefix}active`);
  const includeCertificate = json.includePeerCertificate === true;
  const includeTlsSession = json.includeTlsSession === true;
  const deny = (details: string): Denial => {
    counters.closed.inc();
    return { flag: 'UAEX', details, terminationDetails: '' };
  };

  const filter: ConnectionFilter = {
    admit({ info, metadata }, done) {
      if (wanted?.test(metadata) === false) {
        counters.disabled.inc();
        done(undefined);
        return undefined;
      }
      const started = performance.now();
      counters.total.inc();
      active.inc();
      const question = encodeCheckRequest(info, undefined, { includeCertificate, includeTlsSession, metadata: {} });
      const call = ask(clusters, question, (answer) => {
        active.dec();
        if (answer === undefined) {
          counters.error.inc();
          if (json.failureModeAllow !== true) {
            done(deny('ext_authz_error'));
            return;
          }
          counters.failureModeAllowed.inc();
          done(undefined);
          return;
        }
        const took = answer.allowed ? { ext_authz_duration: Math.trunc(performance.now() - started) } : {};
        const told = { ...answer.metadata, ...took };
        if (Object.keys(told).length > 0) metadata[METADATA] = { ...metadata[METADATA], ...told };
        counters[answer.allowed ? 'ok' : 'denied'].inc();
        done(answer.allowed ? undefined : deny('ext_authz_denied'));
      });
      return () => {
        active.dec();
        call.cancel();
      };
    },
  };
  return { filter: problems.failed ? undefined : filter, problems: problems.all };
};
