import type { MachineProbes, MeshProbes, PodProbes } from '../probes.ts';
import type { Check } from '../types.ts';
import { agentChecks } from './agent.ts';
import { installChecks } from './install.ts';
import { machineChecks } from './machine.ts';
import { podChecks } from './pod.ts';
import { trafficChecks } from './traffic.ts';

/** In causal order: what comes first can be the cause of what comes later. */
export const meshDoctor: readonly Check<MeshProbes>[] = [...machineChecks(false), ...agentChecks, ...trafficChecks];

/** Before an install. */
export const installDoctor: readonly Check<MachineProbes>[] = [...machineChecks(true), ...installChecks];

/** The proxy of a pod, from outside. */
export const podDoctor: readonly Check<PodProbes>[] = podChecks;
