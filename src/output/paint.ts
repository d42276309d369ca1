/** Colours by meaning. */
export interface Style {
  error(text: string): string;
  warning(text: string): string;
  info(text: string): string;
  bold(text: string): string;
  dim(text: string): string;
}

const same = (text: string): string => text;
const ansi =
  (code: string) =>
  (text: string): string =>
    `\x1b[${code}m${text}\x1b[0m`;

/** No colours: texts pass as they are. */
const plain: Style = { error: same, warning: same, info: same, bold: same, dim: same };
const colored: Style = { error: ansi('1;31'), warning: ansi('1;33'), info: ansi('1;36'), bold: ansi('1'), dim: ansi('2') };

/** Colours, or none. */
export function paint(color: boolean | undefined): Style {
  return color ? colored : plain;
}
