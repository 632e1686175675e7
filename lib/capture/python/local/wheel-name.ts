/**
 * Platforms of ours that a wheel's file name is made for.
 * Source: PyPA specification "Binary distribution format": name-version(-build)-python-abi-platform.whl
 * @returns undefined for what runs everywhere, or is no wheel
 */
export function platformsOf(file: string): string[] | undefined {
  const tags = /-([^-]+)\.whl$/.exec(file)?.[1]?.split('.');
  if (!tags || tags.includes('any')) return undefined;
  return [...new Set(tags.flatMap(platformOf))];
}

function platformOf(tag: string): string[] {
  const windows = /^win_(amd64|arm64)$/.exec(tag)?.[1];
  if (windows !== undefined) return [`win32-${windows === 'amd64' ? 'x86_64' : 'arm64'}`];
  const machine = /_(x86_64|aarch64|arm64|universal2)$/.exec(tag)?.[1];
  const system = /^(manylinux|linux|musllinux)/.test(tag) ? 'linux' : /^macosx/.test(tag) ? 'darwin' : undefined;
  if (system === undefined || machine === undefined) return [];
  if (machine === 'universal2') return [`${system}-x86_64`, `${system}-arm64`];
  return [`${system}-${machine === 'x86_64' ? 'x86_64' : 'arm64'}`];
}
