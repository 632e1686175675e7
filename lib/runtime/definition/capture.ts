import { rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { resolveArguments } from '../../capture/arguments';
import { resolveKept } from '../../capture/kept-paths';
import { captureSetup } from '../../capture/setup';
import { capturePackages } from '../../capture/packages';
import type { CapturedPackages } from '../../capture/packages';
import { bucketKeys, encodeJson, findRawcloudError, formatSize, mapBounded, RawcloudError } from '../../contract';
import type { Definition, Notice, PackageChoices, Ref } from '../../contract';
import { createDirectoryStore } from '../../store/directory';
import { sha256Of } from '../../store/sha256';
import type { TreeSize } from '../api';
import type { Artifact } from '../deps';
import { agentArtifact, nodeArtifact } from '../launch/artifacts';
import { NODE_VERSION } from '../launch/node-pins';
import { syncTree, uploadContent } from '../sync/sync';

/** What a deployed job is made from, and where its content shall be laid down. */
export interface CaptureRequest {
  /** Directory that the job runs in; its root, whatever repository it is in. */
  readonly source: string;
  readonly command: readonly string[];
  /** Commands that run as root on each VM before. @default - none */
  readonly setup?: readonly string[];
  /** Seconds that each may take. @default 1800 */
  readonly setupTimeoutS?: number;
  /** What of the lockfiles' Python packages the job gets, and how exactly. @default - all, as they have them */
  readonly packageChoices?: PackageChoices;
  /** What is kept whole of what it writes. @default - nothing */
  readonly keep?: readonly string[];
  /** What is neither files nor packages. */
  readonly rest: Pick<Definition, 'hardware' | 'limits' | 'overlap' | 'tags'> & Pick<Definition['environment'], 'image'>;
  /** Gets one file for each object, by the SHA-256 of its bytes, with the ending `.bin`. */
  readonly outDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly cacheDir: string;
  /** Platform of the VMs. @default - Linux on the hardware's architecture */
  readonly platform?: string;
  /** The VMs are this machine: they run the Node that runs us. @default false */
  readonly local?: boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface CapturedDefinition {
  /** SHA-256 of the definition, which lies among the files. */
  readonly definition: string;
  /** All files, the definition's among them, by the SHA-256 of their bytes. */
  readonly files: readonly string[];
  readonly notices: readonly Notice[];
}

/** More than that is data, which belongs in a bucket. */
const LIMIT_BYTES = 1e9;

/**
 * Pins what a deployed job runs: its files by the same ignore rules as `rawcloud run`, its packages, the agent and Node that
 * its VMs boot from. The same sources give the same hashes.
 * @throws E_USAGE, E_TREE_TOO_LARGE, E_PACKAGE and what a capture can fail of
 */
export async function captureDefinition(request: CaptureRequest): Promise<CapturedDefinition> {
  const { source, outDir, env, home, rest } = request;
  await checkSource(source);
  const store = createDirectoryStore(path.join(outDir, 'store'));
  const platform = request.platform ?? `linux-${rest.hardware.arch}`;
  const words = await resolveArguments(request.command, { cwd: source, root: source, home, env });
  const outputs = resolveKept(request.keep ?? [], { root: source, cwd: source });
  const setup = await captureSetup({
    commands: request.setup ?? [],
    timeoutS: request.setupTimeoutS,
    cwd: source,
    root: source,
    platform,
  });
  const packages = await capturePackages({
    root: source,
    cwd: source,
    argv: request.command,
    env,
    platform,
    locked: true,
    ...(request.packageChoices ? { packageChoices: request.packageChoices } : {}),
    vmNode: request.local ? process.versions.node : NODE_VERSION,
    cacheDir: request.cacheDir,
  });
  if (Object.keys(packages.secrets).length > 0) throw privateRegistry(packages.found);
  const synced = await syncTree({
    store,
    root: source,
    include: [...words.include, ...packages.include],
    home,
    env,
    cacheFile: path.join(outDir, 'known'),
    now: request.now,
    limitBytes: LIMIT_BYTES,
  }).catch((error: unknown) => {
    throw tooLarge(source, error);
  });
  if (synced.files === 0) throw emptySource(source);
  for (const { bytes } of packages.contents) await uploadContent(store, bytes);
  const [agent, node] = await Promise.all([
    keep(await agentArtifact(), outDir),
    keep(await nodeArtifact({ platform, local: request.local ?? false, cacheDir: request.cacheDir, env }), outDir),
  ]);
  const contents = await placeFiles(outDir);
  const { image, ...kept } = rest;
  const definition: Definition = {
    v: 1,
    work: { kind: 'command', argv: [...words.argv], cwd: '' },
    environment: { tree: synced.tree, layers: [...(setup ? [setup.layer] : []), ...packages.layers], ...(image ? { image } : {}) },
    ...kept,
    ...(outputs.length > 0 ? { outputs } : {}),
    agent,
    node,
    contents,
  };
  const body = encodeJson(definition);
  const sha256 = sha256Of(body);
  await writeFile(fileOf(outDir, sha256), body);
  const files = [sha256, agent.sha256, node.sha256, ...contents.map((ref) => ref.sha256)];
  const notices = [...words.notices, ...packages.layers.flatMap((layer) => layer.notices), ...synced.notices];
  return { definition: sha256, files: [...new Set(files)].sort(), notices };
}

async function checkSource(source: string): Promise<void> {
  const found = await stat(source).catch(() => undefined);
  if (found?.isDirectory()) return;
  throw new RawcloudError('E_USAGE', `the source directory '${source}' ${found ? 'is not a directory' : 'does not exist'}`, {
    remedy: 'Name the directory that holds the job, as path.join(__dirname, "job").',
  });
}

/** A definition is read by whoever may read the bucket, and outlives every password of a developer. */
function privateRegistry(found: CapturedPackages['found']): unknown {
  const kinds = [...new Set(found.map(({ kind }) => kind))].join(' and ');
  return new RawcloudError(
    'E_PACKAGE',
    `packages of a deployed job (${kinds}) need the credentials of a private registry, which do not travel with it`,
    {
      remedy:
        'Carry such packages along as files (wheels, tarballs, directories of the source), or serve them from a registry that asks for none.',
    },
  );
}

/** Nobody is there to be asked. */
function tooLarge(source: string, error: unknown): unknown {
  const known = findRawcloudError(error);
  if (known?.code !== 'E_TREE_TOO_LARGE') return error;
  const { size } = known.data as { size: TreeSize };
  const largest = size.largest.map(({ path, bytes }) => `${path} (${formatSize(bytes)})`).join(', ');
  return new RawcloudError(
    'E_TREE_TOO_LARGE',
    `the source directory '${source}' holds ${formatSize(size.bytes)} in ${size.files} files; allowed is up to ${formatSize(LIMIT_BYTES)}. Largest: ${largest}`,
    { remedy: 'Leave files out with .rawcloudignore, or put large data in a bucket that the job reads.', data: known.data, cause: error },
  );
}

function emptySource(source: string): RawcloudError {
  return new RawcloudError('E_USAGE', `the source directory '${source}' holds no file that would travel`, {
    remedy: 'Name the directory that holds the job; see docs/files.md for what is left out.',
  });
}

function fileOf(outDir: string, sha256: string): string {
  return path.join(outDir, `${sha256}.bin`);
}

async function keep(artifact: Artifact, outDir: string): Promise<Ref> {
  const { ref } = artifact;
  const store = createDirectoryStore(path.join(outDir, 'boot'));
  await store.putStream(ref.sha256, artifact.open());
  await rename(path.join(outDir, 'boot', ref.sha256), fileOf(outDir, ref.sha256));
  return ref;
}

/** What was put into the store becomes files beside one another. */
async function placeFiles(outDir: string): Promise<Ref[]> {
  const store = createDirectoryStore(path.join(outDir, 'store'));
  const refs: Ref[] = [];
  for await (const { key, bytes } of store.list(bucketKeys.files)) refs.push({ sha256: key.slice(bucketKeys.files.length), bytes });
  await mapBounded(refs, 8, ({ sha256 }) => rename(path.join(outDir, 'store', bucketKeys.file(sha256)), fileOf(outDir, sha256)));
  await rm(path.join(outDir, 'store'), { recursive: true, force: true });
  return refs;
}
