/** Whether an error of Node's carries this code, as `ENOENT`. Told by its shape: errors of other realms are no `Error` here. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}
