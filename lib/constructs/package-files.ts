import { existsSync } from 'node:fs';
import path from 'node:path';

/**
 * A file of the built package: from sources, from dist/lib and from a bundle in dist/bin alike.
 * @throws when it was not built
 */
export function builtFile(relative: string): string {
  const file = path.join(packageRoot(__dirname), 'dist', relative);
  if (existsSync(file)) return file;
  throw new Error(`rawcloud: ${file} is not there. In a checkout, run 'npm run build'; otherwise install the package anew.`);
}

function packageRoot(from: string): string {
  const above = path.dirname(from);
  return existsSync(path.join(from, 'package.json')) || above === from ? from : packageRoot(above);
}
