/** The door to what an agent reads besides files, for commands. */
export { kubernetesSource, type LiveCluster, type LiveSource } from './source/kubernetes.ts';
