/** Envoy's response flags as bits, in the order in which Envoy writes them. */
export const FLAG = {
  UH: 1 << 1,
  UT: 1 << 2,
  LR: 1 << 3,
  UR: 1 << 4,
  UF: 1 << 5,
  UC: 1 << 6,
  UO: 1 << 7,
  NR: 1 << 8,
  DI: 1 << 9,
  FI: 1 << 10,
  DC: 1 << 14,
  URX: 1 << 15,
  SI: 1 << 16,
  IH: 1 << 17,
  DPE: 1 << 18,
  UMSDR: 1 << 19,
  DT: 1 << 22,
  UPE: 1 << 23,
  NC: 1 << 24,
  DF: 1 << 26,
} as const;

export type FlagName = keyof typeof FLAG;

const inOrder = Object.entries(FLAG);
const known = new Map<number, string>([[0, '-']]);

/** `UF,URX`, or `-` for none. */
export function formatFlags(bits: number): string {
  let text = known.get(bits);
  if (text === undefined) {
    text = inOrder
      .filter(([, bit]) => (bits & bit) !== 0)
      .map(([name]) => name)
      .join(',');
    known.set(bits, text);
  }
  return text;
}
