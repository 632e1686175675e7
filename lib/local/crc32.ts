/** Slices of the table: eight bytes are taken per step, which is about six times as fast as one. */
const SLICES = 8;

/** Reflected polynomials. Sources: IEEE 802.3; RFC 3720 (Castagnoli). */
const POLYNOMIALS = { crc32: 0xedb88320, crc32c: 0x82f63b78 } as const;

const tables = new Map<number, Uint32Array>();

/** `SLICES` tables of 256 entries one behind the other; made on first use. */
function tableOf(polynomial: number): Uint32Array {
  const known = tables.get(polynomial);
  if (known) return known;
  const table = new Uint32Array(256 * SLICES);
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ polynomial : c >>> 1;
    table[n] = c;
  }
  for (let n = 256; n < table.length; n++) table[n] = (table[n - 256]! >>> 8) ^ table[table[n - 256]! & 255]!;
  tables.set(polynomial, table);
  return table;
}

/** CRC-32 of either polynomial, over bytes as they come. */
export class Crc32 {
  readonly #table: Uint32Array;
  #crc = -1;

  constructor(kind: keyof typeof POLYNOMIALS) {
    this.#table = tableOf(POLYNOMIALS[kind]);
  }

  update(b: Uint8Array): void {
    const t = this.#table;
    let crc = this.#crc;
    let i = 0;
    for (const end = b.length - 7; i < end; i += 8) {
      crc ^= b[i]! | (b[i + 1]! << 8) | (b[i + 2]! << 16) | (b[i + 3]! << 24);
      crc =
        t[1792 + (crc & 255)]! ^
        t[1536 + ((crc >>> 8) & 255)]! ^
        t[1280 + ((crc >>> 16) & 255)]! ^
        t[1024 + (crc >>> 24)]! ^
        t[768 + b[i + 4]!]! ^
        t[512 + b[i + 5]!]! ^
        t[256 + b[i + 6]!]! ^
        t[b[i + 7]!]!;
    }
    for (; i < b.length; i++) crc = (crc >>> 8) ^ t[(crc ^ b[i]!) & 255]!;
    this.#crc = crc;
  }

  /** Big endian. */
  digest(): Buffer {
    const out = Buffer.alloc(4);
    out.writeUInt32BE(~this.#crc >>> 0);
    return out;
  }
}
