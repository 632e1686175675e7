import { existsSync } from 'node:fs';
import path from 'node:path';

/** The directory above that holds package.json: the same from sources, from dist/lib and from a bundle in dist/bin. */
export function packageRoot(from: string): string {
  const above = path.dirname(from);
  return existsSync(path.join(from, 'package.json')) || above === from ? from : packageRoot(above);
}
