/** Where applications are asked, and from where. */
export interface ProbeTarget {
  address: string;
  localAddress?: string;
}
