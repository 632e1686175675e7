/** Reads TOML. @throws SyntaxError that says where it is none */
export async function parseToml(text: string): Promise<unknown> {
  // The package's types are those of an ES module, which only this may load; and most jobs have no TOML to read.
  const { parse } = await import('smol-toml');
  try {
    return parse(text);
  } catch (cause) {
    const [why = ''] = cause instanceof Error ? cause.message.split('\n') : [];
    const line = cause instanceof Error && 'line' in cause && typeof cause.line === 'number' ? `line ${cause.line}: ` : '';
    throw new SyntaxError(`${line}${why}`, { cause });
  }
}
