import * as v from 'valibot';
import { decodeJson, encodeJson } from './json';

/*
 * `rawcloud exec`: what client and VM agree on beyond Session Manager itself. The session document gives every session a
 * terminal and starts {@link ENTRY_FILE}, which the agent puts there while its command runs. What is run there is told over
 * the data channel and not as a parameter: parameters are in CloudTrail, and in files of the SSM agent.
 *
 *   VM → client     hello                    the terminal is raw: bytes pass as they are
 *   client → VM     q request
 *   pipes           both ways lines of a letter and base64, see {@link Frame}
 *   terminal        VM → client `y`, then the command's own terminal, and its end as an escape sequence with the client's nonce
 */

/** Name of the session document of a scaffolding. */
export function execDocumentName(scaffold: string): string {
  return `rawcloud-${scaffold}-exec`;
}

/** On the VM, below its root. */
export const ENTRY_FILE = '/run/rawcloud/exec';

const MODES = ['terminal', 'rawcloud'] as const;

/**
 * The session document. Nothing but the mode is a parameter. As root, for the entry becomes the job's user itself.
 * Source: Systems Manager user guide, "Session document schema".
 */
export function execDocument(): object {
  const entry = `"\${RAWCLOUD_ROOT:-}${ENTRY_FILE}"`;
  const nobody = 'rawcloud: no job runs on this VM that may be entered';
  return {
    schemaVersion: '1.0',
    description: 'rawcloud: enters the VM of a running job, as the user of the job',
    sessionType: 'InteractiveCommands',
    parameters: {
      mode: {
        type: 'String',
        description: 'terminal: a shell for people; rawcloud: the protocol of rawcloud exec',
        default: MODES[0],
        allowedPattern: `^(${MODES.join('|')})$`,
      },
    },
    properties: {
      linux: {
        commands: `[ -r ${entry} ] || { echo '${nobody}'; exit 1; }; exec /bin/sh ${entry} {{ mode }}`,
        runAsElevated: true,
      },
    },
  };
}

/** First line from the VM. */
export const HELLO = '\u001erawcloud-exec 1';

export const ExecRequestSchema = v.object({
  /** Empty for a shell. */
  argv: v.array(v.string()),
  /** A terminal, and not pipes. */
  terminal: v.optional(v.object({ nonce: v.string(), columns: v.number(), rows: v.number(), term: v.string() })),
});
export type ExecRequest = v.InferOutput<typeof ExecRequestSchema>;

export const ExecResultSchema = v.object({
  /** Exit code as a shell has it: 128 + n by signal, 127 not found, 126 not executable. */
  code: v.number(),
  /** It did not end by itself. */
  why: v.optional(v.picklist(['job-ended', 'not-entered'])),
  message: v.optional(v.string()),
});
export type ExecResult = v.InferOutput<typeof ExecResultSchema>;

/** A line: its letter says what it is. `kind` other than these is passed over. */
export type Frame =
  | { readonly kind: 'request' | 'input' | 'stdout' | 'stderr' | 'result'; readonly bytes: Uint8Array }
  | { readonly kind: 'signal'; readonly bytes: Uint8Array }
  | { readonly kind: 'end-of-input' | 'alive' | 'ready'; readonly bytes?: undefined };

const LETTERS = {
  request: 'q',
  input: 'i',
  'end-of-input': 'e',
  signal: 's',
  alive: 'k',
  stdout: 'o',
  stderr: 'x',
  ready: 'y',
  result: 'r',
} as const satisfies Record<Frame['kind'], string>;

/** Of a frame: a line of 4 KiB. */
const FRAME_BYTES = 3 * 1024;

/** As lines; what is larger than a frame becomes several. */
export function encodeFrame(kind: Frame['kind'], bytes: Uint8Array = new Uint8Array()): string {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isStream = kind === 'input' || kind === 'stdout' || kind === 'stderr';
  const step = isStream ? FRAME_BYTES : Math.max(all.byteLength, 1);
  let lines = '';
  for (let at = 0; at < Math.max(all.byteLength, 1); at += step) {
    lines += `${LETTERS[kind]}${all.toString('base64', at, Math.min(at + step, all.byteLength))}\n`;
  }
  return lines;
}

/** Reads frames from bytes as they come. */
export class FrameReader {
  #rest = '';

  /** @returns the frames that are whole by now */
  push(bytes: Uint8Array): Frame[] {
    const lines = (this.#rest + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')).split('\n');
    this.#rest = lines.pop()!;
    return lines.flatMap((line) => frameOf(line) ?? []);
  }
}

const KINDS = new Map(Object.entries(LETTERS).map(([kind, letter]) => [letter as string, kind as Frame['kind']]));

function frameOf(line: string): Frame | undefined {
  const kind = KINDS.get(line.charAt(0));
  if (kind === undefined) return undefined;
  if (kind === 'end-of-input' || kind === 'alive' || kind === 'ready') return { kind };
  return { kind, bytes: Buffer.from(line.slice(1).trimEnd(), 'base64') };
}

export function encodeRequest(request: ExecRequest): string {
  return encodeFrame('request', encodeJson(request));
}

export function decodeResult(bytes: Uint8Array): ExecResult {
  return decodeJson(ExecResultSchema, bytes, 'the end of the command');
}

/** How a command in a terminal ends: an escape sequence that no terminal shows, and that only who knows the nonce can write. */
export function encodeTrailer(nonce: string, result: ExecResult): string {
  return `\u001b]5522;rawcloud;${nonce};${Buffer.from(encodeJson(result)).toString('base64')}\u0007`;
}

/** Finds the trailer in what a terminal shows. */
export class TrailerReader {
  readonly #mark: Buffer;
  #held = Buffer.alloc(0);

  constructor(nonce: string) {
    this.#mark = Buffer.from(`\u001b]5522;rawcloud;${nonce};`);
  }

  /** @returns what may be shown, and the result once it has come */
  push(bytes: Uint8Array): { readonly shown: Uint8Array; readonly result?: ExecResult } {
    const all = Buffer.concat([this.#held, bytes]);
    const at = all.indexOf(this.#mark);
    const end = at < 0 ? -1 : all.indexOf(7, at);
    if (end >= 0) {
      this.#held = Buffer.alloc(0);
      const text = all.toString('latin1', at + this.#mark.byteLength, end);
      return { shown: all.subarray(0, at), result: decodeResult(Buffer.from(text, 'base64')) };
    }
    const from = at < 0 ? this.#beginning(all) : at;
    this.#held = all.subarray(from);
    return { shown: all.subarray(0, from) };
  }

  /** Where a mark may begin of which the rest has not come. */
  #beginning(all: Buffer): number {
    const from = Math.max(0, all.byteLength - this.#mark.byteLength + 1);
    for (let at = from; at < all.byteLength; at++) {
      if (this.#mark.subarray(0, all.byteLength - at).equals(all.subarray(at))) return at;
    }
    return all.byteLength;
  }
}
