import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Annotations, AssetHashType } from 'aws-cdk-lib';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { Construct } from 'constructs';
import { builtFile } from './package-files';
import type { Definition, Notice, PackageChoices } from '../contract';

export interface CaptureSourceProps {
  readonly source: string;
  readonly command: readonly string[];
  readonly setup?: readonly string[];
  readonly setupTimeoutS?: number;
  readonly packageChoices: PackageChoices;
  readonly keep?: readonly string[];
  readonly rest: Pick<Definition, 'hardware' | 'limits' | 'overlap' | 'tags'> & Pick<Definition['environment'], 'image'>;
}

export interface CapturedSource {
  /** SHA-256 of the definition. */
  readonly definition: string;
  /** The definition as an asset; all others lie beside it, under names made alike. */
  readonly asset: Asset;
}

interface Captured {
  readonly definition: string;
  readonly files: readonly string[];
  readonly notices: readonly Notice[];
}

/**
 * Pins files and packages of a deployed job now, and makes each object an asset of the app. A program does it, since
 * constructs cannot wait for what is asynchronous.
 * @throws with cause and remedy when something cannot be carried
 */
export function captureSource(scope: Construct, props: CaptureSourceProps): CapturedSource {
  const outDir = mkdtempSync(path.join(os.tmpdir(), 'rawcloud-synth-'));
  try {
    const captured = runCapture({ ...props, outDir });
    for (const { level, text: said } of captured.notices) {
      const text = inWordsOfProps(said);
      const annotations = Annotations.of(scope);
      if (level === 'warning') annotations.addWarningV2('rawcloud:capture', text);
      else annotations.addInfo(text);
    }
    const assets = new Map(captured.files.map((sha256) => [sha256, createAsset(scope, outDir, sha256)]));
    return { definition: captured.definition, asset: assets.get(captured.definition)! };
  } finally {
    rmSync(outDir, { recursive: true, force: true });
  }
}

function createAsset(scope: Construct, outDir: string, sha256: string): Asset {
  return new Asset(scope, `Content${sha256.slice(0, 16)}`, {
    path: path.join(outDir, `${sha256}.bin`),
    assetHash: sha256,
    assetHashType: AssetHashType.CUSTOM,
  });
}

function runCapture(request: CaptureSourceProps & { readonly outDir: string }): Captured {
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [builtFile('bin/synth-capture.js')], {
    input: JSON.stringify(request),
    encoding: 'utf8',
    maxBuffer: 64 * 2 ** 20,
  });
  if (error) throw error;
  const answer = readAnswer(stdout);
  if (answer?.captured) return answer.captured;
  const { message, remedy } = answer?.error ?? { message: `the capture ended with exit code ${status}: ${stderr.slice(-500)}` };
  throw new Error(inWordsOfProps(`rawcloud: ${message}${remedy ? `\n  ${remedy}` : ''}`));
}

/** Captures speak of options of the command line; whoever writes a construct has props: `packageIgnore` for `--package-ignore`. */
function inWordsOfProps(text: string): string {
  return text.replace(
    /--package-(strictness|ignore|only|add)\b/g,
    (_option, what: string) => `package${what[0]!.toUpperCase()}${what.slice(1)}`,
  );
}

function readAnswer(text: string): { captured?: Captured; error?: { message: string; remedy?: string } } | undefined {
  try {
    return JSON.parse(text) as { captured?: Captured; error?: { message: string; remedy?: string } };
  } catch {
    return undefined;
  }
}
