/** A field's value without the blanks around it, which are no part of it (RFC 9110 5.5). */
export function withoutBlanks(value: string): string {
  return isBlank(value.charCodeAt(0)) || isBlank(value.charCodeAt(value.length - 1)) ? value.replace(/^[ \t]+|[ \t]+$/g, '') : value;
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}
