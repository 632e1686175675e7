import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { BUNDLES } from './bundles.mjs';
import { prunedClients } from './pruned-clients.mjs';
import { ROOT } from './root.mjs';

/**
 * Makes all bundles.
 * @param {string} outDir
 * @returns {Promise<string[]>} names of the packages whose code is in them
 */
export async function bundleAll(outDir) {
  const esbuild = await import('esbuild');
  try {
    const results = await Promise.allSettled(BUNDLES.map((bundle) => bundleOne(esbuild, bundle, outDir)));
    const failures = results.filter(({ status }) => status === 'rejected').map(({ reason }) => reason);
    if (failures.length > 0) throw new Error(failures.map(({ message }) => message).join('\n'));
    return [...new Set(results.flatMap(({ value }) => packagesIn(value)))].sort();
  } finally {
    await esbuild.stop();
  }
}

/** A bundle that cannot be made takes its old version away: nothing is ever tested against code of yesterday. */
async function bundleOne(esbuild, bundle, outDir) {
  try {
    const { outputFiles, metafile, warnings } = await esbuild.build(optionsOf(esbuild, bundle, outDir));
    if (warnings.length > 0) throw new Error(`${bundle.entry}: ${warnings.map(({ text }) => text).join('; ')}`);
    for (const file of outputFiles) await place(file);
    return metafile;
  } catch (error) {
    await rm(path.join(outDir, bundle.out), { force: true });
    throw error;
  }
}

/** @param {import('./bundles.mjs').Bundle} bundle */
function optionsOf(esbuild, { entry, out, minify, external = [] }, outDir) {
  return {
    absWorkingDir: ROOT,
    entryPoints: [entry],
    outfile: path.join(outDir, out),
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    // ES modules where a package has them: what is not used of an SDK client is then left out.
    mainFields: ['module', 'main'],
    target: 'node20.19',
    format: 'cjs',
    // import() of a CommonJS file would start Node's second module loader: 10 ms for nothing.
    supported: { 'dynamic-import': false },
    minifyWhitespace: minify !== undefined,
    minifySyntax: minify !== undefined,
    minifyIdentifiers: minify === 'all',
    external,
    legalComments: 'none',
    logLevel: 'silent',
    plugins: [{ name: 'entries-stay-files', setup: (build) => keepEntriesApart(build, out) }, prunedClients(esbuild)],
  };
}

/** A dynamic import of another entry becomes a require of its output. */
function keepEntriesApart(build, out) {
  build.onResolve({ filter: /^\./ }, ({ kind, path: specifier, resolveDir }) => {
    if (kind !== 'dynamic-import') return undefined;
    const source = path.relative(ROOT, path.resolve(resolveDir, specifier)).replace(/\.js$/, '.ts');
    const target = BUNDLES.find((b) => b.entry === source.split(path.sep).join('/'));
    return target && { path: relativeModule(path.posix.dirname(out), target.out), external: true };
  });
}

function relativeModule(from, to) {
  const relative = path.posix.relative(from, to);
  return relative.startsWith('.') ? relative : `./${relative}`;
}

/** By rename: who runs the old file meanwhile keeps a whole one. */
async function place({ path: file, contents }) {
  await mkdir(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, contents);
  await chmod(temporary, startsWithShebang(contents) ? 0o755 : 0o644);
  await rename(temporary, file);
}

function startsWithShebang([first, second]) {
  return first === '#'.charCodeAt(0) && second === '!'.charCodeAt(0);
}

function packagesIn(metafile) {
  return Object.keys(metafile.inputs).flatMap((input) => {
    const match = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
    return match ? [match[0].slice(0, -1)] : [];
  });
}
