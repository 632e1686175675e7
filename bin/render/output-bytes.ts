/** The exact bytes of an `output` event. */
export function outputBytes(data: { readonly text: string; readonly base64?: string }): Uint8Array {
  return data.base64 === undefined ? Buffer.from(data.text, 'utf8') : Buffer.from(data.base64, 'base64');
}
