/** A file to archive. */
export interface TarFile {
  /** Relative, with slashes. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly executable: boolean;
}

const BLOCK_BYTES = 512;

/**
 * A POSIX ustar archive of regular files. Owners and times are left at zero, so that the same files give the same bytes
 * on every machine, which the tar programs of Linux and macOS do not promise. Source: POSIX.1-2017, pax, "ustar Interchange Format".
 */
export function tar(files: readonly TarFile[]): Buffer {
  const blocks = files.flatMap((file) => [...longPath(file.path), header(file), ...content(file.bytes)]);
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK_BYTES)]);
}

function content(bytes: Uint8Array): Buffer[] {
  return [Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), Buffer.alloc(padding(bytes.byteLength))];
}

function padding(bytes: number): number {
  return (BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES;
}

/** What comes before a file whose path does not fit into its header: a record of pax that says it. */
function longPath(path: string): Buffer[] {
  if (splitPath(path) !== undefined) return [];
  const body = Buffer.from(paxRecord('path', path));
  return [header({ path: 'pax', bytes: body, executable: false }, 'x'), ...content(body)];
}

/** `<length> <name>=<value>`, where the length counts its own digits. */
function paxRecord(name: string, value: string): string {
  const rest = ` ${name}=${value}\n`;
  const bytes = Buffer.byteLength(rest);
  let length = bytes;
  while (length !== bytes + String(length).length) length = bytes + String(length).length;
  return `${length}${rest}`;
}

function header(file: TarFile, type: '0' | 'x' = '0'): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  const { name, prefix } = splitPath(file.path) ?? { name: 'long', prefix: '' };
  block.write(name, 0);
  block.write(file.executable ? '0000755\0' : '0000644\0', 100);
  block.write('0000000\0', 108); // owner
  block.write('0000000\0', 116); // group
  block.write(`${file.bytes.byteLength.toString(8).padStart(11, '0')}\0`, 124);
  block.write(`${'0'.padStart(11, '0')}\0`, 136); // time
  block.write(' '.repeat(8), 148); // the checksum counts itself as spaces
  block.write(type, 156); // '0': a regular file
  block.write('ustar\x0000', 257, 'latin1');
  block.write(prefix, 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** undefined when it does not fit: 255 bytes are room enough, 100 for the last part. */
function splitPath(path: string): { name: string; prefix: string } | undefined {
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: '' };
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (Buffer.byteLength(name) <= 100 && Buffer.byteLength(prefix) <= 155) return { name, prefix };
  }
  return undefined;
}
