import type { Labels } from '../../mesh/labels.ts';

/** Istio's own objects: any `istio` label, or `release: istio`. */
export function isControlPlane(labels: Labels): boolean {
  return Object.hasOwn(labels, 'istio') || labels['release'] === 'istio';
}

const CONTROLLERS = new Set(['istio.io-gateway-controller', 'istio.io-mesh-controller', 'istio.io-eastwest-controller']);

/** Made by Istio for a Gateway or waypoint. */
export function isManagedGateway(labels: Labels): boolean {
  return CONTROLLERS.has(labels['gateway.istio.io/managed'] ?? '');
}
