import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Script } from 'node:vm';

/*
 * A verb needs two megabytes of JavaScript, and to compile what is called of them takes as long as many a verb. What V8 has
 * compiled is kept for the next start (a code cache): in a file for each bundle and Node,
 *
 *   32 bytes SHA-256 of the bundle's text
 *   32 bytes SHA-256 of what follows
 *   what V8 gives, which it takes back only from itself, in the same version and with the same flags
 *
 * Whatever is not just this is ignored and written anew; that it cannot be written costs time and nothing else.
 */

export interface CompiledOptions {
  /** Where the compiled code is kept; made when it is not there. */
  readonly directory: string;
  /** Told once to call `write` when the process ends, by when most has been compiled. */
  readonly atExit: (write: () => void) => void;
}

type Wrapper = (exports: unknown, require: NodeJS.Require, module: { exports: unknown }, file: string, directory: string) => void;

const HASH_BYTES = 32;
/** Each Node and each version of rawcloud has its own. */
const MOST_FILES = 12;

/** Loads bundles that lie in one directory, and by them the others that they `require`. */
export class CompiledBundles {
  readonly #modules = new Map<string, { exports: unknown }>();
  readonly #fresh: { file: string; script: Script; text: Buffer }[] = [];

  constructor(private readonly options: CompiledOptions) {}

  /** What the bundle exports. */
  load(file: string): unknown {
    const loaded = this.#modules.get(file);
    if (loaded) return loaded.exports;
    const module: { exports: unknown } = { exports: {} };
    this.#modules.set(file, module);
    try {
      const run = this.#compile(file).runInThisContext() as Wrapper;
      run.call(module.exports, module.exports, this.#requireFor(file), module, file, path.dirname(file));
      return module.exports;
    } catch (error) {
      this.#modules.delete(file);
      throw error;
    }
  }

  /** Node's own, but for bundles beside it. */
  #requireFor(file: string): NodeJS.Require {
    const real = createRequire(file);
    const require = (id: string): unknown => (id.startsWith('./') ? this.load(real.resolve(id)) : real(id));
    return Object.assign(require, real);
  }

  #compile(file: string): Script {
    const text = readFileSync(file);
    const cachedData = this.#read(file, text);
    // As Node wraps a CommonJS module.
    const source = `(function (exports, require, module, __filename, __dirname) { ${text.toString('utf8')}\n});`;
    const script = new Script(source, { filename: file, ...(cachedData ? { cachedData } : {}) });
    if (cachedData && script.cachedDataRejected === false) return script;
    if (this.#fresh.length === 0) this.options.atExit(() => this.#write());
    this.#fresh.push({ file, script, text });
    return script;
  }

  #read(file: string, text: Buffer): Buffer | undefined {
    try {
      const kept = readFileSync(this.#placeOf(file));
      const [of, hash, data] = [kept.subarray(0, HASH_BYTES), kept.subarray(HASH_BYTES, 2 * HASH_BYTES), kept.subarray(2 * HASH_BYTES)];
      return of.equals(sha256(text)) && hash.equals(sha256(data)) ? data : undefined;
    } catch {
      return undefined;
    }
  }

  #write(): void {
    try {
      mkdirSync(this.options.directory, { recursive: true, mode: 0o700 });
      for (const { file, script, text } of this.#fresh.splice(0)) writeWhole(this.#placeOf(file), text, script.createCachedData());
      this.#forgetOldest();
    } catch {
      // A full disk, or one that is not ours: it is compiled the next time as well.
    }
  }

  #forgetOldest(): void {
    const places = readdirSync(this.options.directory).map((name) => path.join(this.options.directory, name));
    const newestFirst = places.map((place) => ({ place, at: statSync(place).mtimeMs })).sort((a, b) => b.at - a.at);
    for (const { place } of newestFirst.slice(MOST_FILES)) rmSync(place, { force: true });
  }

  /** Each installation has files of its own. */
  #placeOf(file: string): string {
    const name = `${path.basename(file, '.js')}-${process.version}-${process.arch}-${sha256(Buffer.from(file)).toString('hex').slice(0, 12)}`;
    return path.join(this.options.directory, name);
  }
}

function writeWhole(place: string, text: Buffer, data: Buffer): void {
  const temporary = `${place}.${process.pid}`;
  try {
    writeFileSync(temporary, Buffer.concat([sha256(text), sha256(data), data]), { mode: 0o600 });
    renameSync(temporary, place);
  } finally {
    rmSync(temporary, { force: true });
  }
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
