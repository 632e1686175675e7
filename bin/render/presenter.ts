import type { RawcloudEvent } from '../../lib/contract';
import type { JobResult, TransferProgress, TreeSize } from '../../lib/runtime/api';

/** A job that goes on without us. */
export interface Leaving {
  readonly job: string;
  readonly name?: string;
  /** It was asked to stop. */
  readonly stopping: boolean;
  /** When its VM ends itself at the latest, milliseconds since 1970. */
  readonly until?: number;
}

/** Files that were brought home. */
export interface Downloaded {
  readonly job: string;
  readonly directory: string;
  readonly files: JobResult['outputs'];
}

/** How a watched job is shown: for people, quietly, or as JSON lines. Each call resolves when the reader took it. */
export interface Presenter {
  event(event: RawcloudEvent): Promise<void>;
  result(result: JobResult): Promise<void>;
  /** How far files are that are brought home; comes often, and is shown where a line can move. */
  downloading(progress: TransferProgress): void;
  downloaded(files: Downloaded): Promise<void>;
  leaving(leaving: Leaving): Promise<void>;
  /** A word of the CLI itself, as the answer to Ctrl-C: always on stderr. */
  remark(text: string): Promise<void>;
  /** Whether so large a tree shall travel; undefined where there is nobody to ask. */
  readonly confirmTree?: (size: TreeSize, signal: AbortSignal) => Promise<boolean>;
  close(): Promise<void>;
}
