/** What people read about an error code. Sentences in plain English; commands in backquotes. */
export interface ErrorText {
  /** What has happened, and what has not. */
  readonly means: string;
  /** How it comes about, most frequent first. */
  readonly why: readonly string[];
  /** What to do, in the order in which to try it. */
  readonly todo: readonly string[];
}
