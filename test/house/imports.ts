import path from 'node:path';
import ts from 'typescript';

/** One import, export-from, import() or require of a file. */
export interface Import {
  readonly file: string;
  /** One-based. */
  readonly line: number;
  readonly specifier: string;
  /** `type`: gone after compilation; `lazy`: import() or require() at run time. */
  readonly kind: 'value' | 'type' | 'lazy';
  /** The file of ours that is meant; none for packages, Node's modules and JSON. */
  readonly target?: string;
}

/** Sources by path, relative to the repository with forward slashes. */
export type Sources = ReadonlyMap<string, string>;

export function importsOf(sources: Sources): Import[] {
  return [...sources].flatMap(([file, text]) => importsOfFile(file, text, sources));
}

function importsOfFile(file: string, text: string, sources: Sources): Import[] {
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: Import[] = [];
  const visit = (node: ts.Node): void => {
    const seen = importAt(node);
    if (seen) {
      const line = tree.getLineAndCharacterOfPosition(node.getStart()).line + 1;
      const target = resolve(file, seen.specifier, sources);
      found.push({ file, line, ...seen, ...(target === undefined ? {} : { target }) });
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

function importAt(node: ts.Node): Pick<Import, 'specifier' | 'kind'> | undefined {
  if (ts.isImportDeclaration(node)) return named(node.moduleSpecifier, isTypeOnlyImport(node.importClause) ? 'type' : 'value');
  if (ts.isExportDeclaration(node)) return named(node.moduleSpecifier, isTypeOnlyExport(node) ? 'type' : 'value');
  if (ts.isExternalModuleReference(node)) return named(node.expression, 'value');
  if (ts.isImportTypeNode(node)) return ts.isLiteralTypeNode(node.argument) ? named(node.argument.literal, 'type') : undefined;
  if (ts.isCallExpression(node) && isLoad(node.expression)) return named(node.arguments[0], 'lazy');
  return undefined;
}

function isLoad(callee: ts.Expression): boolean {
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return true;
  if (ts.isPropertyAccessExpression(callee)) return callee.name.text === 'resolve' && isLoad(callee.expression);
  return ts.isIdentifier(callee) && callee.text === 'require';
}

function named(node: ts.Node | undefined, kind: Import['kind']): Pick<Import, 'specifier' | 'kind'> | undefined {
  return node && ts.isStringLiteralLike(node) ? { specifier: node.text, kind } : undefined;
}

function isTypeOnlyImport(clause: ts.ImportClause | undefined): boolean {
  if (!clause) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const bindings = clause.namedBindings;
  return (
    !clause.name &&
    !!bindings &&
    ts.isNamedImports(bindings) &&
    bindings.elements.length > 0 &&
    bindings.elements.every((e) => e.isTypeOnly)
  );
}

function isTypeOnlyExport(node: ts.ExportDeclaration): boolean {
  if (node.isTypeOnly) return true;
  const clause = node.exportClause;
  return !!clause && ts.isNamedExports(clause) && clause.elements.length > 0 && clause.elements.every((e) => e.isTypeOnly);
}

function resolve(file: string, specifier: string, sources: Sources): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  const base = path.posix.join(path.posix.dirname(file), specifier);
  return [base, `${base}.ts`, `${base}/index.ts`, base.replace(/\.js$/, '.ts')].find((candidate) => sources.has(candidate));
}
