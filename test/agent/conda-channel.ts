import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { crc32 } from 'node:zlib';

/** As long as conda-build makes them, so that machine code has room for a real path. */
export const PLACEHOLDER = `/home/build/_h_env_${'placehold_'.repeat(23)}place`.slice(0, 255);

export interface FakeFile {
  readonly content?: string | Buffer;
  readonly link?: string;
  readonly mode?: number;
  /** It names the placeholder. */
  readonly prefix?: 'text' | 'binary';
}

export interface CondaPackageSpec {
  readonly name: string;
  readonly version: string;
  readonly build?: string;
  /** @default 'noarch' for packages of Python, else 'linux-64' */
  readonly subdir?: string;
  readonly depends?: readonly string[];
  readonly files: Readonly<Record<string, FakeFile | string>>;
  /** Of Python, for every version of it; programs it asks for. */
  readonly python?: readonly string[];
  /** @default '.conda' */
  readonly format?: '.conda' | '.tar.bz2';
}

/** A package of the channel, as conda-meta records it. */
export interface MadePackage {
  readonly name: string;
  readonly version: string;
  readonly build: string;
  readonly subdir: string;
  readonly fn: string;
  readonly url: string;
  readonly channel: string;
  readonly sha256: string;
  readonly md5: string;
  readonly size: number;
  readonly depends: readonly string[];
  readonly build_number: number;
  readonly noarch?: string;
}

/** A channel of conda on loopback, whose packages the test makes. */
export class CondaChannel {
  readonly packages: MadePackage[] = [];
  /** Paths that were asked for. */
  readonly asked: string[] = [];
  /** Asked for as `/t/<token>/`. */
  token: string | undefined;
  /** The header that is asked for. */
  authorization: string | undefined;
  /** Status by path, for what shall fail. */
  readonly failing = new Map<string, number>();

  private constructor(
    readonly directory: string,
    private readonly server: Server,
  ) {}

  static async open(directory: string): Promise<CondaChannel> {
    const server = createServer((request, response) => {
      const at = decodeURIComponent(new URL(request.url!, 'http://host').pathname);
      const isOpen = channel.authorization === undefined || request.headers.authorization === channel.authorization;
      const { status, file } = isOpen ? channel.#answer(at) : { status: 401, file: undefined };
      response.writeHead(status).end(file === undefined ? '' : readFileSync(file));
    });
    const channel = new CondaChannel(directory, server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return channel;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/shop`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
    rmSync(this.directory, { recursive: true, force: true });
  }

  #answer(at: string): { readonly status: number; readonly file?: string } {
    const plain = this.token === undefined ? at : at.replace(`/t/${this.token}/`, '/');
    this.asked.push(plain);
    if (this.token !== undefined && plain === at) return { status: 401 };
    const status = this.failing.get(plain);
    if (status !== undefined) return { status };
    const file = path.join(this.directory, plain);
    return plain.startsWith('/shop/') && existsSync(file) ? { status: 200, file } : { status: 404 };
  }

  add(spec: CondaPackageSpec): MadePackage {
    const { name, version, build = '0', depends = [], format = '.conda' } = spec;
    const subdir = spec.subdir ?? (spec.python ? 'noarch' : 'linux-64');
    const work = path.join(this.directory, 'work');
    const paths = Object.entries(spec.files).map(([at, file]) => writeFile(path.join(work, at), at, file));
    const index = { name, version, build, build_number: 0, depends, subdir, ...(spec.python ? { noarch: 'python' } : {}) };
    writeJson(path.join(work, 'info', 'index.json'), index);
    writeJson(path.join(work, 'info', 'paths.json'), { paths_version: 1, paths });
    if (spec.python)
      writeJson(path.join(work, 'info', 'link.json'), {
        package_metadata_version: 1,
        noarch: { type: 'python', entry_points: spec.python },
      });
    const fn = `${name}-${version}-${build}${format}`;
    const bytes =
      format === '.conda' ? condaFile(work, `${name}-${version}-${build}`, Object.keys(spec.files)) : tarBz2(work, Object.keys(spec.files));
    rmSync(work, { recursive: true });
    const hash = (kind: string): string => createHash(kind).update(bytes).digest('hex');
    mkdirSync(path.join(this.directory, 'shop', subdir), { recursive: true });
    writeFileSync(path.join(this.directory, 'shop', subdir, fn), bytes);
    const made: MadePackage = {
      ...index,
      fn,
      url: `${this.url}/${subdir}/${fn}`,
      channel: this.url,
      sha256: hash('sha256'),
      md5: hash('md5'),
      size: bytes.length,
    };
    this.packages.push(made);
    return made;
  }

  /** What solvers read. */
  writeRepodata(subdirs: readonly string[] = ['linux-64', 'noarch']): void {
    for (const subdir of subdirs) {
      const own = this.packages.filter((made) => made.subdir === subdir);
      const of = (format: string): Record<string, unknown> =>
        Object.fromEntries(
          own.filter(({ fn }) => fn.endsWith(format)).map(({ url: _url, channel: _channel, ...record }) => [record.fn, record]),
        );
      writeJson(path.join(this.directory, 'shop', subdir, 'repodata.json'), {
        info: { subdir },
        packages: of('.tar.bz2'),
        'packages.conda': of('.conda'),
        repodata_version: 1,
      });
    }
  }

  /** The archive in the channel. */
  fileOf({ subdir, fn }: MadePackage): string {
    return path.join(this.directory, 'shop', subdir, fn);
  }
}

/** An environment as far as capture reads it: records of packages, and nothing else. */
export function writeCondaMeta(prefix: string, packages: readonly Partial<MadePackage>[]): void {
  mkdirSync(path.join(prefix, 'conda-meta'), { recursive: true });
  writeFileSync(path.join(prefix, 'conda-meta', 'history'), '');
  for (const made of packages) writeJson(path.join(prefix, 'conda-meta', `${made.name}-${made.version}-${made.build}.json`), made);
}

function writeJson(file: string, value: unknown): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(value));
}

function writeFile(file: string, at: string, given: FakeFile | string): Record<string, unknown> {
  const { content = '', link, mode = 0o644, prefix } = typeof given === 'string' ? { content: given } : given;
  mkdirSync(path.dirname(file), { recursive: true });
  if (link !== undefined) symlinkSync(link, file);
  else writeFileSync(file, content);
  if (link === undefined) chmodSync(file, mode);
  const sha256 = createHash('sha256').update(content).digest('hex');
  const placeholder = prefix ? { prefix_placeholder: PLACEHOLDER, file_mode: prefix } : {};
  return { _path: at, path_type: link === undefined ? 'hardlink' : 'softlink', sha256, size_in_bytes: content.length, ...placeholder };
}

function tar(directory: string, names: readonly string[]): Buffer {
  return execFileSync('tar', ['-cf', '-', '-C', directory, ...names], { maxBuffer: 2 ** 28 });
}

function tarBz2(work: string, names: readonly string[]): Buffer {
  return execFileSync('bzip2', ['-c'], { input: tar(work, ['info', ...names]), maxBuffer: 2 ** 28 });
}

function condaFile(work: string, base: string, names: readonly string[]): Buffer {
  return zip({
    'metadata.json': Buffer.from('{"conda_pkg_format_version": 2}'),
    [`pkg-${base}.tar.zst`]: zstd(tar(work, names)),
    [`info-${base}.tar.zst`]: zstd(tar(work, ['info'])),
  });
}

/** A frame of raw blocks: what is in it is real zstd, and no program is needed. Source: RFC 8878. */
function zstd(content: Buffer): Buffer {
  const parts: Buffer[] = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58])];
  for (let at = 0; at < content.length; at += 2 ** 17) {
    const block = content.subarray(at, at + 2 ** 17);
    const head = Buffer.alloc(4);
    head.writeUInt32LE((block.length << 3) | (at + block.length === content.length ? 1 : 0));
    parts.push(head.subarray(0, 3), block);
  }
  return Buffer.concat(parts);
}

/** Members are stored. */
function zip(members: Readonly<Record<string, Buffer>>): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, content] of Object.entries(members)) {
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(content.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(name.length, 22);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(at, 10);
    parts.push(Buffer.from('PK\x03\x04'), common, Buffer.from(name), content);
    directory.push(Buffer.from('PK\x01\x02'), Buffer.from([20, 0]), common, tail, Buffer.from(name));
    at += 30 + name.length + content.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(Object.keys(members).length, 8);
  end.writeUInt16LE(Object.keys(members).length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, listed, end]);
}
