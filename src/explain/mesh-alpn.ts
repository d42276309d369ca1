/** What the mesh's own proxies offer in TLS (ALPN). */
export const MESH_ALPN: readonly string[] = ['istio-peer-exchange', 'istio'];
