import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { RawcloudError, RefSchema } from '../../contract';
import type { Ref } from '../../contract';
import type { Artifact } from '../deps';
import { packageRoot } from '../package-root';
import { downloadedNode } from './node-download';
import { NODE_PINS, NODE_VERSION } from './node-pins';
import type { NodePin } from './node-pins';

/**
 * The agent bundle.
 * @throws E_INTERNAL when it was not built
 */
export async function agentArtifact(options: { file?: string } = {}): Promise<Artifact> {
  const file = options.file ?? path.join(packageRoot(__dirname), 'dist', 'agent', 'agent.js');
  const ref = await refOfFile(file).catch((cause: unknown) => {
    throw new RawcloudError('E_INTERNAL', `the agent that VMs run is not there: ${file}`, {
      remedy: "In a checkout, run 'npm run build'; otherwise install the package anew.",
      cause,
    });
  });
  return artifact(file, ref);
}

export interface NodeArtifactOptions {
  /** Of the VM: `linux-x86_64`, `linux-arm64`; in the local cloud the host's. */
  readonly platform: string;
  /** True in the local cloud, whose VMs run the executable that runs us. */
  readonly local: boolean;
  /** Where what can be made again is kept. */
  readonly cacheDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
  /** @default process.execPath */
  readonly executable?: string;
  /** What VMs of the local cloud have on their disks of an executable. @default - nothing */
  readonly shipped?: (executable: string) => Promise<Ref | undefined>;
  /** By platform. @default NODE_PINS */
  readonly pins?: Readonly<Record<string, NodePin>>;
}

/**
 * The Node executable for VMs of a platform: in the local cloud our own as it is, else a pinned release, gzipped.
 * The bootstrap tells the two apart by their first bytes.
 * @throws E_HARDWARE for platforms without a release, E_ENVIRONMENT and E_INTEGRITY as {@link downloadedNode}
 */
export async function nodeArtifact(options: NodeArtifactOptions): Promise<Artifact> {
  const { platform, cacheDir, env, signal, pins = NODE_PINS, executable = process.execPath } = options;
  if (options.local) {
    const shipped = await options.shipped?.(executable);
    if (shipped) return { ...artifact(executable, shipped), shipped: true };
    return artifact(executable, await cachedRef(executable, path.join(cacheDir, 'node')));
  }
  const pin = pins[platform];
  if (!pin)
    throw new RawcloudError(
      'E_HARDWARE',
      `there is no Node for VMs of the platform '${platform}'; there is one for ${Object.keys(pins).join(' and ')}`,
    );
  const { file, ref } = await downloadedNode({ platform, pin, version: NODE_VERSION, cacheDir, env, ...(signal ? { signal } : {}) });
  return artifact(file, ref);
}

/** Checked while it is read, so that nothing else is ever stored under its hash. */
function artifact(file: string, ref: Ref): Artifact {
  return {
    ref,
    async *open() {
      const hash = createHash('sha256');
      for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
        hash.update(chunk);
        yield chunk;
      }
      if (hash.digest('hex') === ref.sha256) return;
      throw new RawcloudError('E_INTEGRITY', `${file} is not what it was when its hash was taken`, {
        remedy: 'Delete it if it lies in a cache, and run again.',
      });
    },
  };
}

async function refOfFile(file: string): Promise<Ref> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.byteLength;
  }
  return { sha256: hash.digest('hex'), bytes };
}

const CachedRefSchema = v.object({ ref: RefSchema, mtimeMs: v.number() });

/** Hashing 100 MB takes a quarter of a second: done once per file, size and time of change. */
async function cachedRef(file: string, directory: string): Promise<Ref> {
  const { size, mtimeMs } = await stat(file);
  const record = path.join(directory, `ref-${createHash('sha256').update(file).digest('hex').slice(0, 16)}.json`);
  const known = v.safeParse(CachedRefSchema, await readJson(record));
  if (known.success && known.output.ref.bytes === size && known.output.mtimeMs === mtimeMs) return known.output.ref;
  const ref = await refOfFile(file);
  await mkdir(directory, { recursive: true });
  const fresh = `${record}.${process.pid}`;
  await writeFile(fresh, JSON.stringify({ ref, mtimeMs }));
  await rename(fresh, record);
  return ref;
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch {
    // Absent or damaged: the hash is taken again.
    return undefined;
  }
}
