/** A share of 1 for people: `90 %`, `0.05 %`. */
export function percent(share: number): string {
  return `${Number((share * 100).toFixed(share < 0.01 ? 4 : 2))} %`;
}
