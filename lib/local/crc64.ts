/** Reflected polynomial of CRC-64/NVME. Source: NVM Express command set specification 1.0, section 5.2.1.3.4. */
const POLYNOMIAL = 0x9a6c9329ac4bc9b5n;
const SLICES = 8;

/** Halves of the table's 64-bit entries; `SLICES` tables of 256 one behind the other. */
interface Tables {
  readonly low: Uint32Array;
  readonly high: Uint32Array;
}

let made: Tables | undefined;

function tables(): Tables {
  if (made) return made;
  const entries: bigint[] = [];
  for (let n = 0; n < 256; n++) {
    let c = BigInt(n);
    for (let bit = 0; bit < 8; bit++) c = c & 1n ? (c >> 1n) ^ POLYNOMIAL : c >> 1n;
    entries.push(c);
  }
  for (let n = 256; n < 256 * SLICES; n++) {
    const before = entries[n - 256]!;
    entries.push((before >> 8n) ^ entries[Number(before & 255n)]!);
  }
  made = { low: Uint32Array.from(entries, (c) => Number(c & 0xffffffffn)), high: Uint32Array.from(entries, (c) => Number(c >> 32n)) };
  return made;
}

/** CRC-64/NVME over bytes as they come, in 32-bit halves: BigInt would be a hundred times slower. */
export class Crc64Nvme {
  #low = -1;
  #high = -1;

  update(b: Uint8Array): void {
    const { low: tl, high: th } = tables();
    let low = this.#low;
    let high = this.#high;
    let i = 0;
    for (const end = b.length - 7; i < end; i += 8) {
      const x = low ^ (b[i]! | (b[i + 1]! << 8) | (b[i + 2]! << 16) | (b[i + 3]! << 24));
      const y = high ^ (b[i + 4]! | (b[i + 5]! << 8) | (b[i + 6]! << 16) | (b[i + 7]! << 24));
      const [i7, i6, i5, i4] = [1792 + (x & 255), 1536 + ((x >>> 8) & 255), 1280 + ((x >>> 16) & 255), 1024 + (x >>> 24)];
      const [i3, i2, i1, i0] = [768 + (y & 255), 512 + ((y >>> 8) & 255), 256 + ((y >>> 16) & 255), y >>> 24];
      low = tl[i7]! ^ tl[i6]! ^ tl[i5]! ^ tl[i4]! ^ tl[i3]! ^ tl[i2]! ^ tl[i1]! ^ tl[i0]!;
      high = th[i7]! ^ th[i6]! ^ th[i5]! ^ th[i4]! ^ th[i3]! ^ th[i2]! ^ th[i1]! ^ th[i0]!;
    }
    for (; i < b.length; i++) {
      const at = (low ^ b[i]!) & 255;
      low = ((low >>> 8) | (high << 24)) ^ tl[at]!;
      high = (high >>> 8) ^ th[at]!;
    }
    this.#low = low;
    this.#high = high;
  }

  /** Big endian. */
  digest(): Buffer {
    const out = Buffer.alloc(8);
    out.writeUInt32BE(~this.#high >>> 0, 0);
    out.writeUInt32BE(~this.#low >>> 0, 4);
    return out;
  }
}
