import * as v from 'valibot';

/** Kind of the layer that holds what is run as root before packages are installed: what no package manager of a language gives. */
export const SETUP_KIND = 'setup';

/** A step that takes longer is ended, seconds, unless a limit was asked for. */
export const SETUP_LIMIT_S = 30 * 60;

const MOST_BYTES = 64 * 1024;

const StepSchema = v.variant('kind', [
  v.object({ kind: v.literal('command'), command: v.string() }),
  /** `content`: a source of the layer. */
  v.object({ kind: v.literal('script'), name: v.string(), content: v.string() }),
]);
export type SetupStep = v.InferOutput<typeof StepSchema>;

/** Recipe of the layer kind `setup`. Nobody's secrets: it stands in the job's record, as the command does. */
export const SetupRecipeSchema = v.object({
  /** In order; the first that fails is the last. */
  steps: v.array(StepSchema),
  /** Where they run, relative to the tree's root. */
  directory: v.string(),
  /** Limit of each step, seconds. @default SETUP_LIMIT_S */
  timeoutS: v.optional(v.number()),
});
export type SetupRecipe = v.InferOutput<typeof SetupRecipeSchema>;

/** Password of a URL that is written out; one that a variable holds is not. */
const PASSWORD = /:\/\/[^\s/:@]*:(?!\$)[^\s/@]+@/;

/** A setup as somebody asked for it, in a run or in a construct. */
export interface AskedSetup {
  readonly commands: readonly string[];
  /** A script runs before them. @default false */
  readonly hasScript?: boolean;
  readonly timeoutS?: number | undefined;
}

/** Everything that is wrong with a setup, in words. */
export function problemsOfSetup({ commands, hasScript = false, timeoutS }: AskedSetup): string[] {
  return [...commandProblems(commands), ...timeoutProblems(timeoutS, commands.length > 0 || hasScript)];
}

function timeoutProblems(timeoutS: number | undefined, isAsked: boolean): string[] {
  if (timeoutS === undefined) return [];
  return [
    ...(timeoutS > 0 ? [] : [`setup timeout of ${timeoutS} s must be greater than zero`]),
    ...(isAsked ? [] : [`setup timeout of ${timeoutS} s has no setup that it could end`]),
  ];
}

function commandProblems(commands: readonly string[]): string[] {
  return commands.flatMap((command, index) => {
    const which = `setup command ${index + 1}`;
    if (command.trim() === '') return [`${which} is empty`];
    if (command.includes('\0')) return [`${which} holds a NUL byte`];
    const bytes = Buffer.byteLength(command);
    if (bytes > MOST_BYTES) return [`${which} has ${bytes} bytes; allowed are ${MOST_BYTES}: make it a script`];
    if (PASSWORD.test(command))
      return [`${which} holds a password in a URL, which would stand in the job's record; hand it over as a secret variable: $NAME`];
    return [];
  });
}
