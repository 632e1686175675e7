import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Everywhere in product code: how many calls are under way is always said. */
const UNBOUNDED = {
  selector:
    'CallExpression[callee.object.name="Promise"][callee.property.name=/^(all|allSettled)$/] > CallExpression.arguments[callee.property.name=/^(map|flatMap)$/]',
  message: 'Starts as many calls as there are items. Use mapBounded(items, limit, fn) of lib/contract.',
};

/** Away from the edges: environment, clock and chance are handed in, so that tests and drivers can set them. */
const AMBIENT = [
  {
    selector: 'MemberExpression[object.name="process"][property.name="env"]',
    message: 'Take the environment as a parameter; the edges read process.env.',
  },
  { selector: 'MemberExpression[object.name="Date"][property.name="now"]', message: 'Take a Clock.' },
  { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: 'Take a Clock.' },
  { selector: 'CallExpression[callee.name="Date"]', message: 'Take a Clock.' },
  { selector: 'MemberExpression[object.name="performance"][property.name="now"]', message: 'Take a Clock.' },
  {
    selector: 'MemberExpression[object.name="Math"][property.name="random"]',
    message: 'Take a source of chance, or use node:crypto for what must not be guessed.',
  },
];

/** Where the real world is touched; the same list stands in docs/architecture.md. */
const EDGES = [
  'bin/**',
  'lambda/**',
  'scripts/**',
  'bench/**',
  'test/**',
  'examples/**',
  'lib/aws/clients.ts',
  'lib/agent/main.ts',
  'lib/local/**',
  'lib/contract/clock.ts',
];

/** What plain JavaScript here uses of Node; in TypeScript the compiler knows. */
const NODE_GLOBALS = ['process', 'console', 'Buffer', 'URL', 'AbortController', 'AbortSignal', 'performance', 'fetch'].concat([
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'clearInterval',
  'setImmediate',
]);

export default defineConfig(
  globalIgnores(['dist/', 'cdk.out/', 'coverage/', '**/cdk.out/', '**/node_modules/']),
  js.configs.recommended,
  {
    linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'error' },
    languageOptions: { globals: Object.fromEntries(NODE_GLOBALS.map((name) => [name, 'readonly'])) },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: 'error',
      // Terminals speak in control characters.
      'no-control-regex': 'off',
      'no-console': 'error',
      'no-restricted-imports': ['error', { name: 'node:process', importNames: ['env'], message: 'The edges read process.env.' }],
      'no-restricted-syntax': ['error', UNBOUNDED, ...AMBIENT],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports', disallowTypeAnnotations: false }],
      '@typescript-eslint/no-floating-promises': ['error', { checkThenables: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }],
      // An AbortSignal's reason is typed any, and is what has to be passed on.
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingAny: true, allowThrowingUnknown: true }],
      '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingAny: true, allowThrowingUnknown: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // A function that throws by rejecting is async on purpose.
      '@typescript-eslint/require-await': 'off',
    },
  },
  { files: ['lib/**/*.ts', 'bin/**/*.ts', 'lambda/**/*.ts'], rules: { 'max-lines': ['error', { max: 300, skipComments: true }] } },
  { files: EDGES, rules: { 'no-restricted-syntax': ['error', UNBOUNDED] } },
  // Projects of their own, whose types come from the packed package: npm run examples compiles them.
  { files: ['examples/**'], extends: [tseslint.configs.disableTypeChecked] },
  { files: ['scripts/**', 'bench/**', 'test/**', 'examples/**'], rules: { 'no-restricted-syntax': 'off' } },
  // expect.objectContaining() and its like are typed any.
  { files: ['test/**/*.ts'], rules: { '@typescript-eslint/no-unsafe-assignment': 'off', '@typescript-eslint/no-unsafe-argument': 'off' } },
  // The CLI writes through its sink, Lambdas log JSON: console is for what people start by hand.
  { files: ['scripts/**', 'bench/**', 'lambda/**', 'bin/**', 'examples/**'], rules: { 'no-console': 'off' } },
  { files: ['**/*.js'], languageOptions: { sourceType: 'commonjs', globals: { module: 'writable', require: 'readonly' } } },
);
