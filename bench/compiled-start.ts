/* Starts a bundle as the CLI starts its own: `compiled-start.js <bundle> <directory of compiled code> …`, what follows being the bundle's. */
import { CompiledBundles } from '../bin/compiled';

const [bundle, directory] = process.argv.splice(2, 2) as [string, string];
new CompiledBundles({ directory, atExit: (write) => void process.once('exit', write) }).load(bundle);
