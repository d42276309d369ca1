import type { Analyzer } from '../analyzer.ts';
import { annotations } from './annotations.ts';
import { applicationUid } from './application-uid.ts';
import { autoImages } from './auto-images.ts';
import { clusterServices } from './cluster-services.ts';
import { deploymentServices } from './deployment-services.ts';
import { deprecations } from './deprecations.ts';
import { destinationRuleHosts } from './destination-rule-hosts.ts';
import { destinations } from './destinations.ts';
import { envoyFilterOperations } from './envoy-filter-operations.ts';
import { envoyFilterValues } from './envoy-filter-values.ts';
import { externalControlPlane } from './external-control-plane.ts';
import { gatewayApi } from './fl-gateway-api.ts';
import { gatewaySecurity } from './fl-gateway-security.ts';
import { idlePatches } from './fl-idle-patches.ts';
import { idleSelectors } from './fl-idle-selectors.ts';
import { matches } from './fl-matches.ts';
import { mirrors } from './fl-mirrors.ts';
import { outdated } from './fl-outdated.ts';
import { outliers } from './fl-outliers.ts';
import { policyRules } from './fl-policy-rules.ts';
import { routeSettings } from './fl-route-settings.ts';
import { shortHosts } from './fl-short-hosts.ts';
import { subsetEndpoints } from './fl-subset-endpoints.ts';
import { unenforced } from './fl-unenforced.ts';
import { unreachableRoutes } from './fl-unreachable-routes.ts';
import { yamlTraps } from './fl-yaml-traps.ts';
import { gatewayApiCrds } from './gateway-api-crds.ts';
import { gatewayCertificates } from './gateway-certificates.ts';
import { gatewayConflicts } from './gateway-conflicts.ts';
import { gatewayCredentials } from './gateway-credentials.ts';
import { gatewayReferences } from './gateway-references.ts';
import { gatewayWorkloads } from './gateway-workloads.ts';
import { hostConflicts } from './host-conflicts.ts';
import { ineffectiveSelectors } from './ineffective-selectors.ts';
import { jwksEgress } from './jwks-egress.ts';
import { jwtClaimRoutes } from './jwt-claim-routes.ts';
import { meshNetworks } from './mesh-networks.ts';
import { namespaceInjection } from './namespace-injection.ts';
import { policyNamespaces } from './policy-namespaces.ts';
import { policyWorkloads } from './policy-workloads.ts';
import { proxyImages } from './proxy-images.ts';
import { serverVerification } from './server-verification.ts';
import { serviceEntryAddresses } from './service-entry-addresses.ts';
import { serviceEntryProtocols } from './service-entry-protocols.ts';
import { servicePortNames } from './service-port-names.ts';
import { sidecarSelectors } from './sidecar-selectors.ts';
import { statusConditions } from './status-conditions.ts';
import { subsetBypass } from './subset-bypass.ts';
import { subsets } from './subsets.ts';
import { telemetryProviders } from './telemetry-providers.ts';
import { telemetrySelectors } from './telemetry-selectors.ts';
import { unreachableRules } from './unreachable-rules.ts';
import { webhooks } from './webhooks.ts';

/** Every analyzer. Their order does not matter: findings are sorted. */
export const ANALYZERS: readonly Analyzer[] = [
  annotations,
  applicationUid,
  autoImages,
  clusterServices,
  deploymentServices,
  deprecations,
  destinationRuleHosts,
  destinations,
  envoyFilterOperations,
  envoyFilterValues,
  externalControlPlane,
  gatewayApiCrds,
  gatewayCertificates,
  gatewayConflicts,
  gatewayCredentials,
  gatewayReferences,
  gatewayWorkloads,
  hostConflicts,
  ineffectiveSelectors,
  jwksEgress,
  jwtClaimRoutes,
  meshNetworks,
  namespaceInjection,
  policyNamespaces,
  policyWorkloads,
  proxyImages,
  serverVerification,
  serviceEntryAddresses,
  serviceEntryProtocols,
  servicePortNames,
  sidecarSelectors,
  statusConditions,
  subsetBypass,
  subsets,
  telemetryProviders,
  telemetrySelectors,
  unreachableRules,
  webhooks,
  gatewayApi,
  gatewaySecurity,
  idlePatches,
  idleSelectors,
  matches,
  mirrors,
  outdated,
  outliers,
  policyRules,
  routeSettings,
  shortHosts,
  subsetEndpoints,
  unreachableRoutes,
  yamlTraps,
  unenforced,
];
