import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ROOT } from './root.mjs';

const SDK = path.join(ROOT, 'lib/aws/sdk') + path.sep;

/**
 * Of each SDK client, only what `lib/aws/sdk` names goes into a bundle. By itself esbuild leaves out what nobody uses
 * only where imports are static; ours are dynamic, so that a client is loaded when it is called. Hence each of those
 * files is bundled with its client first, and what both need of other packages is left to the bundle around them.
 */
export function prunedClients(esbuild) {
  return {
    name: 'pruned-clients',
    setup(build) {
      build.onLoad({ filter: /[\\/]lib[\\/]aws[\\/]sdk[\\/][\w-]+\.ts$/ }, async ({ path: file }) => {
        if (!file.startsWith(SDK)) return undefined;
        const { outputFiles, metafile } = await esbuild.build({
          absWorkingDir: ROOT,
          entryPoints: [file],
          bundle: true,
          write: false,
          metafile: true,
          platform: 'node',
          mainFields: ['module', 'main'],
          format: 'esm',
          target: 'node20.19',
          logLevel: 'silent',
          plugins: [
            { name: 'one-package', setup: keepToOnePackage },
            { name: 'plain-keys', setup: plainKeys },
          ],
        });
        const inputs = Object.keys(metafile.inputs).map((input) => path.join(ROOT, input));
        const inPackage = inputs.find((input) => input.includes(`${path.sep}node_modules${path.sep}`));
        return { contents: outputFiles[0].text, loader: 'js', resolveDir: path.dirname(inPackage ?? file), watchFiles: inputs };
      });
    },
  };
}

/** Imports of packages are external, but for the client that the entry itself imports. */
function keepToOnePackage(build) {
  build.onResolve({ filter: /^[^./]/ }, ({ importer }) => (importer.startsWith(SDK) ? undefined : { external: true }));
}

/**
 * The schemas of all shapes of a service are constants of one file. `{ [_xN]: 1 }` might do anything as far as esbuild can
 * tell, so that it would keep them all: keys are written out, as the constant `_xN = "xmlName"` has them.
 */
function plainKeys(build) {
  build.onLoad({ filter: /[\\/]schemas[\\/]schemas_\d+\.js$/ }, async ({ path: file }) => {
    const text = await readFile(file, 'utf8');
    const constants = new Map([...text.matchAll(/^const (_\w+) = ("[^"]*");$/gm)].map(([, name, value]) => [name, value]));
    return {
      contents: text.replace(/\[(_\w+)\]:/g, (whole, name) => (constants.has(name) ? `${constants.get(name)}:` : whole)),
      loader: 'js',
    };
  });
}
