import { RawcloudError } from '../../../contract';

/*
 * bzip2, which Node does not have. A stream is `BZh` and a digit, then blocks, then an end mark; nothing is aligned to bytes.
 * A block undone: Huffman codes, then move-to-front with runs of zeros, then Burrows-Wheeler, then runs of four and more.
 * Source: bzip2's own `decompress.c`, and the format as Joe Tsai wrote it down ("BZIP2: Format Specification", 2016).
 */

const BLOCK = 0x314159265359;
const END = 0x177245385090;
/** Symbols that one choice of a Huffman table counts for. */
const GROUP = 50;
const LONGEST_CODE = 20;

/** Content of a `.bz2`, block by block, each up to some megabytes. @throws E_INTEGRITY when it is damaged */
export function* bunzip2(bytes: Uint8Array): Generator<Buffer> {
  const bits = new Bits(bytes);
  do {
    if (bits.take(24) !== 0x425a68) throw damaged('it does not begin as one');
    const level = bits.take(8) - 0x30;
    if (level < 1 || level > 9) throw damaged('its block size is none');
    const room = new Uint32Array(level * 100_000);
    let combined = 0;
    for (let mark = bits.mark(); mark !== END; mark = bits.mark()) {
      if (mark !== BLOCK) throw damaged('a block does not begin as one');
      const checksum = bits.take(32);
      const content = readBlock(bits, room);
      if (checksumOf(content) !== checksum) throw damaged('a block has another checksum');
      combined = (((combined << 1) | (combined >>> 31)) ^ checksum) >>> 0;
      yield content;
    }
    if (bits.take(32) !== combined) throw damaged('it has another checksum');
    bits.align();
    // Programs that compress in parallel write several streams, one after the other.
  } while (!bits.isAtEnd());
}

function damaged(why: string): RawcloudError {
  return new RawcloudError('E_INTEGRITY', `an archive of bzip2 is damaged: ${why}`);
}

class Bits {
  #at = 0;
  #held = 0;
  #count = 0;

  constructor(private readonly bytes: Uint8Array) {}

  /** Up to 32. */
  take(count: number): number {
    if (count > 24) return this.take(count - 16) * 0x10000 + this.take(16);
    const taken = this.peek(count);
    this.skip(count);
    return taken;
  }

  /** Up to 24, without taking them; zeros after the end. */
  peek(count: number): number {
    while (this.#count < count) {
      this.#held = ((this.#held << 8) | (this.bytes[this.#at++] ?? 0)) >>> 0;
      this.#count += 8;
    }
    return (this.#held >>> (this.#count - count)) & ((1 << count) - 1);
  }

  skip(count: number): void {
    this.#count -= count;
    if (this.#at - (this.#count >>> 3) > this.bytes.byteLength) throw damaged('it ends too early');
  }

  mark(): number {
    return this.take(24) * 0x1000000 + this.take(24);
  }

  align(): void {
    this.#count -= this.#count % 8;
  }

  isAtEnd(): boolean {
    return this.#at - this.#count / 8 >= this.bytes.byteLength;
  }
}

function readBlock(bits: Bits, room: Uint32Array): Buffer {
  if (bits.take(1) === 1) throw damaged('a block is randomized, as no program has written it since 1997');
  const origin = bits.take(24);
  const used = readUsed(bits);
  const { tables, selectors } = readTables(bits, used.length + 2);
  const counts = new Uint32Array(256);
  const length = readSymbols({ bits, used, tables, selectors, room, counts });
  if (origin >= length) throw damaged('a block begins outside of itself');
  return expandRuns(undoTransform(room, length, counts, origin), length);
}

/** Bytes that the block has: a map of sixteen, then one for each of them. */
function readUsed(bits: Bits): number[] {
  const groups = bits.take(16);
  const used: number[] = [];
  for (let group = 0; group < 16; group++) {
    if (((groups >> (15 - group)) & 1) === 0) continue;
    const there = bits.take(16);
    for (let byte = 0; byte < 16; byte++) if (((there >> (15 - byte)) & 1) === 1) used.push(group * 16 + byte);
  }
  if (used.length === 0) throw damaged('a block has no bytes');
  return used;
}

/** A canonical code. */
interface Table {
  /** By the next {@link QUICK} bits: symbol, and in the lower five bits its length; 0 where the code is longer. */
  readonly quick: Uint16Array;
  /** By length: the smallest code, how many there are, and where their symbols begin. */
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly offset: Int32Array;
  readonly symbols: Uint16Array;
}

/** Most codes are no longer. */
const QUICK = 10;

function readTables(bits: Bits, symbols: number): { readonly tables: readonly Table[]; readonly selectors: Uint8Array } {
  const number = bits.take(3);
  if (number < 2 || number > 6) throw damaged(`a block has ${number} tables`);
  const selectors = new Uint8Array(bits.take(15));
  if (selectors.length === 0) throw damaged('a block chooses no table');
  const order = [0, 1, 2, 3, 4, 5].slice(0, number);
  for (let at = 0; at < selectors.length; at++) {
    let steps = 0;
    while (bits.take(1) === 1) if (++steps >= number) throw damaged('a block chooses a table that it has not');
    const [chosen] = order.splice(steps, 1) as [number];
    order.unshift(chosen);
    selectors[at] = chosen;
  }
  const tables = Array.from({ length: number }, () => makeTable(readLengths(bits, symbols)));
  return { tables, selectors };
}

function readLengths(bits: Bits, symbols: number): Uint8Array {
  const lengths = new Uint8Array(symbols);
  let length = bits.take(5);
  for (let symbol = 0; symbol < symbols; symbol++) {
    while (bits.take(1) === 1) length += bits.take(1) === 0 ? 1 : -1;
    if (length < 1 || length > LONGEST_CODE) throw damaged('a code has no length');
    lengths[symbol] = length;
  }
  return lengths;
}

function makeTable(lengths: Uint8Array): Table {
  const [first, count, offset] = [0, 1, 2].map(() => new Int32Array(LONGEST_CODE + 2)) as [Int32Array, Int32Array, Int32Array];
  for (const length of lengths) count[length]!++;
  const symbols = new Uint16Array(lengths.length);
  const quick = new Uint16Array(1 << QUICK);
  let code = 0;
  let at = 0;
  for (let length = 1; length <= LONGEST_CODE; length++) {
    first[length] = code;
    offset[length] = at;
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths[symbol] !== length) continue;
      symbols[at++] = symbol;
      const free = QUICK - length;
      if (free >= 0) quick.fill((symbol << 5) | length, code << free, (code + 1) << free);
      code++;
    }
    code <<= 1;
  }
  return { quick, first, count, offset, symbols };
}

interface Symbols {
  readonly bits: Bits;
  readonly used: number[];
  readonly tables: readonly Table[];
  readonly selectors: Uint8Array;
  /** Gets the last column of the transform. */
  readonly room: Uint32Array;
  /** Gets how often each byte is there. */
  readonly counts: Uint32Array;
}

/** @returns length of the block */
function readSymbols({ bits, used, tables, selectors, room, counts }: Symbols): number {
  const front = Uint8Array.from(used);
  const end = used.length + 1;
  let length = 0;
  let run = 0;
  let weight = 1;
  const put = (byte: number, times: number): void => {
    if (length + times > room.length) throw damaged('a block is longer than it says');
    if (times === 1) room[length] = byte;
    else room.fill(byte, length, length + times);
    counts[byte]! += times;
    length += times;
  };
  for (let group = 0; ; group++) {
    const table = tables[selectors[group] ?? -1];
    if (!table) throw damaged('a block has no more tables');
    for (let left = GROUP; left > 0; left--) {
      const symbol = readSymbol(bits, table);
      if (symbol <= 1) {
        run += weight << symbol;
        weight <<= 1;
        if (run > room.length) throw damaged('a run is longer than its block');
        continue;
      }
      if (run > 0) put(front[0]!, run);
      [run, weight] = [0, 1];
      if (symbol === end) return length;
      const byte = front[symbol - 1]!;
      for (let at = symbol - 1; at > 0; at--) front[at] = front[at - 1]!;
      front[0] = byte;
      put(byte, 1);
    }
  }
}

function readSymbol(bits: Bits, { quick, first, count, offset, symbols }: Table): number {
  const known = quick[bits.peek(QUICK)]!;
  if (known > 0) {
    bits.skip(known & 31);
    return known >> 5;
  }
  for (let length = QUICK + 1; length <= LONGEST_CODE; length++) {
    const at = bits.peek(length) - first[length]!;
    if (at < 0 || at >= count[length]!) continue;
    bits.skip(length);
    return symbols[offset[length]! + at]!;
  }
  throw damaged('a code stands for nothing');
}

/** In `room`, bytes below and places above: one array does for both. */
function undoTransform(room: Uint32Array, length: number, counts: Uint32Array, origin: number): Buffer {
  const starts = new Uint32Array(256);
  for (let byte = 1; byte < 256; byte++) starts[byte] = starts[byte - 1]! + counts[byte - 1]!;
  for (let at = 0; at < length; at++) room[starts[room[at]! & 0xff]!++]! |= at << 8;
  const content = Buffer.allocUnsafe(length);
  let place = room[origin]! >>> 8;
  for (let at = 0; at < length; at++) {
    const entry = room[place]!;
    content[at] = entry & 0xff;
    place = entry >>> 8;
  }
  return content;
}

/** After four equal bytes stands how many more there are. */
function expandRuns(packed: Buffer, length: number): Buffer {
  let total = 0;
  forRuns(packed, length, (_byte, times) => {
    total += times;
  });
  const content = Buffer.allocUnsafe(total);
  let at = 0;
  forRuns(packed, length, (byte, times) => {
    if (times === 1) content[at] = byte;
    else content.fill(byte, at, at + times);
    at += times;
  });
  return content;
}

function forRuns(packed: Buffer, length: number, on: (byte: number, times: number) => void): void {
  let same = 0;
  let last = -1;
  for (let at = 0; at < length; at++) {
    const byte = packed[at]!;
    if (same === 4) {
      if (byte > 0) on(last, byte);
      same = 0;
      last = -1;
      continue;
    }
    same = byte === last ? same + 1 : 1;
    last = byte;
    on(byte, 1);
  }
}

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit++) value = (value << 1) ^ (value < 0 ? 0x04c11db7 : 0);
  return value >>> 0;
});

function checksumOf(content: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of content) sum = (sum << 8) ^ CRC[((sum >>> 24) ^ byte) & 0xff]!;
  return ~sum >>> 0;
}
