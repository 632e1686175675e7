import fc from 'fast-check';

/* Trees and ignore files whose names and patterns are drawn from few letters, so that they meet often. */

const NAMES = ['a', 'b', 'ab', 'B', 'a b', 'c.log', 'd.txt', '.x', 'é', '[a]', 'A', '#h', '!i', 'a*', 'b\\', 'a-b', 'logs', 'x '];

const ATOMS = ['*', '**', '***', '?', '*.log', '*.txt', 'a*', '*b', 'a?', '?*', '??', '*a*', 'a**', '**b', 'a**b', '\\', 'a\\'].concat(
  ['[ab]', '[!a]', '[^a]*', '[a-c]*', '[b-a]', '[]a]', '[]-a]', '[a-]', '[!]]', '[', '[a', '[!', '[\\]a]', '[a\\', '[A-C]', '[?-b]'],
  ['[[:alpha:]]', '[[:upper:]]*', '[[:lower:]]', '[[:space:]]', '[[:punct:]a]', '[[:nope:]]', '[[:alpha]', '[[:]', '[:alpha:]'],
  ['\\a', '\\A', '\\[a]', '\\*', 'a\\ ', '\\#h', '\\!i', 'x\\ ', 'a\\/b', '**\\/b', 'a*?b', '*[b]*'],
);

const name = fc.constantFrom(...NAMES);
const file = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const atom = fc.oneof({ weight: 4, arbitrary: name }, { weight: 3, arbitrary: fc.constantFrom(...ATOMS) });
const shaped = fc
  .record({
    negated: fc.constantFrom('', '', '', '!', '!!'),
    lead: fc.constantFrom('', '', '/', '**/', '//', './'),
    atoms: fc.array(atom, { minLength: 1, maxLength: 3 }),
    tail: fc.constantFrom('', '', '/', '/*', '/**', ' ', '  ', '\\ ', '\t', '//', '/ '),
  })
  .map(({ negated, lead, atoms, tail }) => negated + lead + atoms.join('/') + tail);
const wild = fc.string({ unit: fc.constantFrom(...'aabbA//**?[]!-^\\ .:#'), maxLength: 8 });
const line = fc.oneof(
  { weight: 10, arbitrary: shaped },
  { weight: 3, arbitrary: wild },
  { weight: 1, arbitrary: fc.constantFrom('', '# comment', '/', '//', '!', '\\', ' ', '\r', 'é', '[é]', '?é') },
);

export const rules = fc
  .record({
    lines: fc.array(line, { minLength: 1, maxLength: 4 }),
    separator: fc.constantFrom('\n', '\n', '\r\n'),
    end: fc.constantFrom('\n', '\n', '', '\r'),
    mark: fc.constantFrom('', '', '\ufeff'),
  })
  .map(({ lines, separator, end, mark }) => mark + lines.join(separator) + end);

/** Index into the files of a tree. */
const which = fc.nat(9);

export const tree = fc.record({
  files: fc.array(file, { minLength: 1, maxLength: 10 }),
  tracked: fc.array(which, { maxLength: 2 }),
  top: rules,
  /** Next to some file. */
  nested: fc.array(fc.tuple(which, rules), { maxLength: 2 }),
});
export type DrawnTree = typeof tree extends fc.Arbitrary<infer T> ? T : never;

export interface DrawnRepository {
  readonly trees: readonly DrawnTree[];
  readonly top: string | null;
  readonly exclude: string | null;
  readonly global: string | null;
  readonly ignoreCase: boolean;
}

/** Many trees side by side, so that git is started seldom. */
export const repositoryOf = (trees: number): fc.Arbitrary<DrawnRepository> =>
  fc.record({
    trees: fc.array(tree, { minLength: trees, maxLength: trees, size: 'max' }),
    top: fc.option(rules, { freq: 3 }),
    exclude: fc.option(rules, { freq: 3 }),
    global: fc.option(rules, { freq: 3 }),
    ignoreCase: fc.constantFrom(false, false, true),
  });
