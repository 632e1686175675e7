/** Most differences between two words that still look like a typing error. */
const MOST_EDITS = 3;

/** The words nearest to one that is not known, best first: at most three, none when nothing is near. */
export function nearest(word: string, known: readonly string[]): string[] {
  const limit = Math.min(MOST_EDITS, Math.ceil(word.length / 3));
  return known
    .map((candidate) => ({ candidate, edits: distance(word, candidate) }))
    .filter(({ edits, candidate }) => edits <= limit || (word.length >= 4 && candidate.includes(word)))
    .sort((a, b) => a.edits - b.edits)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** Levenshtein's distance: insertions, deletions and replacements from one word to the other. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}
