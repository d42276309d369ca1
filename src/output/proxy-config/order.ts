/** Compares by several keys, the first one first; numbers by value, texts by code unit as Go does. */
export function byKeys<T>(...keys: ((value: T) => string | number)[]): (a: T, b: T) => number {
  return (a, b) => {
    for (const key of keys) {
      const [x, y] = [key(a), key(b)];
      if (x !== y) return x < y ? -1 : 1;
    }
    return 0;
  };
}
