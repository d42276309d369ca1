/** Envoy's response flags, as far as HTTP requests get them here. */
export type FlagName =
  | 'UH'
  | 'UT'
  | 'UR'
  | 'UF'
  | 'UC'
  | 'UO'
  | 'NR'
  | 'DI'
  | 'FI'
  | 'DC'
  | 'URX'
  | 'SI'
  | 'DPE'
  | 'UPE'
  | 'NC'
  | 'DF'
  | 'UAEX';

/** `flags` with one more: Envoy writes them in the order in which they were set, each once, and `-` for none. */
export function withFlag(flags: string, flag: FlagName): string {
  if (flags === '-') return flag;
  return flags === flag || flags.split(',').includes(flag) ? flags : `${flags},${flag}`;
}
