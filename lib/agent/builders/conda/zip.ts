import { open } from 'node:fs/promises';
import { RawcloudError } from '../../../contract';

/** A member of a zip, stored as it is: the bytes from `start` up to `end`. */
export interface ZipMember {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
/** The end record and the longest comment after it. */
const TAIL_BYTES = 22 + 65_535;
/** Says that the size stands in the record for large files. */
const LARGE = 0xffffffff;

/**
 * Members of a zip whose members are stored, as in a `.conda` file. Source: PKWARE APPNOTE 6.3, conda's CEP "The .conda format".
 * @throws E_INTEGRITY for what is no such file
 */
export async function zipMembers(file: string): Promise<ZipMember[]> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const read = async (position: number, length: number): Promise<Buffer> => {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
      return buffer.subarray(0, bytesRead);
    };
    const tail = await read(Math.max(0, size - TAIL_BYTES), Math.min(size, TAIL_BYTES));
    const at = tail.lastIndexOf(signature(END));
    if (at === -1) throw damaged('it has no directory');
    const directory = await read(tail.readUInt32LE(at + 16), tail.readUInt32LE(at + 12));
    const members: ZipMember[] = [];
    for (const { name, method, length, header } of entriesIn(directory)) {
      if (method !== 0) throw damaged(`${name} is compressed twice`);
      const local = await read(header, 30);
      if (local.length < 30 || local.readUInt32LE(0) !== LOCAL) throw damaged(`${name} is not where its directory says`);
      const start = header + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
      if (start + length > size) throw damaged(`${name} is cut off`);
      members.push({ name, start, end: start + length });
    }
    return members;
  } finally {
    await handle.close();
  }
}

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly length: number;
  readonly header: number;
}

function* entriesIn(directory: Buffer): Generator<Entry> {
  for (let at = 0; at + 46 <= directory.length && directory.readUInt32LE(at) === ENTRY;) {
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => directory.readUInt16LE(at + offset)) as [
      number,
      number,
      number,
    ];
    const name = directory.toString('utf8', at + 46, at + 46 + nameLength);
    const [length, header] = [directory.readUInt32LE(at + 20), directory.readUInt32LE(at + 42)];
    if (length === LARGE || header === LARGE) throw damaged(`${name} has 4 GB or more`);
    yield { name, method: directory.readUInt16LE(at + 10), length, header };
    at += 46 + nameLength + extraLength + commentLength;
  }
}

function signature(number: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(number);
  return bytes;
}

function damaged(why: string): RawcloudError {
  return new RawcloudError('E_INTEGRITY', `it is no archive of conda: ${why}`);
}
