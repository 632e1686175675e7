import { parseVersion, satisfies } from './version';

/*
 * Environment markers. Source: PyPA specification "Dependency specifiers" (PEP 508), with the two lists of PEP 751.
 */

/** The machine that packages are chosen for, and what was asked for besides. */
export interface MarkerEnvironment {
  readonly values: Readonly<Record<string, string>>;
  readonly extras: ReadonlySet<string>;
  readonly groups: ReadonlySet<string>;
}

/** Any patch release of a minor version: what the VM will have is not known, and nobody locks for one of them. */
const ANY_PATCH = 99;

/** @param platform as `linux-x86_64` @param minor as `3.11` */
export function markerEnvironment(platform: string, minor: string): MarkerEnvironment {
  const isMac = platform.startsWith('darwin');
  const machine = platform.endsWith('x86_64') ? 'x86_64' : isMac ? 'arm64' : 'aarch64';
  const full = `${minor}.${ANY_PATCH}`;
  return {
    values: {
      os_name: 'posix',
      sys_platform: isMac ? 'darwin' : 'linux',
      platform_system: isMac ? 'Darwin' : 'Linux',
      platform_machine: machine,
      platform_python_implementation: 'CPython',
      implementation_name: 'cpython',
      implementation_version: full,
      python_version: minor,
      python_full_version: full,
      platform_release: '',
      platform_version: '',
    },
    extras: new Set(),
    groups: new Set(),
  };
}

const TOKEN = /\s*(?:("[^"]*"|'[^']*')|(\(|\))|(===|==|!=|~=|<=|>=|<|>)|(not\s+in\b)|([A-Za-z_][\w.]*))/y;

/** @throws SyntaxError when the marker cannot be read */
export function evaluateMarker(marker: string, environment: MarkerEnvironment): boolean {
  return new Evaluation(tokensOf(marker), environment, marker).whole();
}

function tokensOf(marker: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < marker.trimEnd().length) {
    const match = TOKEN.exec(marker);
    if (!match) throw new SyntaxError(`the marker ${JSON.stringify(marker)} cannot be read`);
    tokens.push(match[4] === undefined ? match[0].trim() : 'not in');
  }
  return tokens;
}

class Evaluation {
  #at = 0;

  constructor(
    private readonly tokens: readonly string[],
    private readonly environment: MarkerEnvironment,
    private readonly marker: string,
  ) {}

  whole(): boolean {
    const result = this.#or();
    if (this.#at < this.tokens.length) throw this.#unreadable();
    return result;
  }

  // Both sides are always read: `a or b` with a true must still go past b.
  #or(): boolean {
    let result = this.#and();
    while (this.#takes('or')) {
      const right = this.#and();
      result = result || right;
    }
    return result;
  }

  #and(): boolean {
    let result = this.#term();
    while (this.#takes('and')) {
      const right = this.#term();
      result = result && right;
    }
    return result;
  }

  #term(): boolean {
    if (!this.#takes('(')) return this.#compare();
    const result = this.#or();
    if (!this.#takes(')')) throw this.#unreadable();
    return result;
  }

  #compare(): boolean {
    const [left, operator, right] = [this.#next(), this.#next(), this.#next()];
    if (right === 'extras' || right === 'dependency_groups') return isIn(this.#listed(right, unquoted(left)), operator);
    const [name, text] = isQuoted(left) ? [right, left] : [left, right];
    if (name === 'extra') return isIn(this.#listed('extras', unquoted(text)), operator === '!=' ? 'not in' : 'in');
    return compareValues(this.#value(left), operator, this.#value(right), /version$/.test(name) && name !== 'platform_version');
  }

  #listed(list: 'extras' | 'dependency_groups', name: string): boolean {
    const canonical = name.toLowerCase().replace(/[-_.]+/g, '-');
    return (list === 'extras' ? this.environment.extras : this.environment.groups).has(canonical);
  }

  #value(token: string): string {
    if (isQuoted(token)) return unquoted(token);
    const value = this.environment.values[token.replace('os.name', 'os_name').replace('sys.platform', 'sys_platform')];
    if (value === undefined) throw this.#unreadable();
    return value;
  }

  #next(): string {
    const token = this.tokens[this.#at++];
    if (token === undefined) throw this.#unreadable();
    return token;
  }

  #takes(token: string): boolean {
    if (this.tokens[this.#at] !== token) return false;
    this.#at++;
    return true;
  }

  #unreadable(): SyntaxError {
    return new SyntaxError(`the marker ${JSON.stringify(this.marker)} cannot be read`);
  }
}

function isQuoted(token: string): boolean {
  return /^["']/.test(token);
}

function unquoted(token: string): string {
  return token.slice(1, -1);
}

function isIn(there: boolean, operator: string): boolean {
  return operator === 'not in' ? !there : there;
}

function compareValues(left: string, operator: string, right: string, areVersions: boolean): boolean {
  if (operator === 'in') return right.includes(left);
  if (operator === 'not in') return !right.includes(left);
  if (areVersions && parseVersion(left)) {
    const answer = satisfies(left, `${operator}${right}`);
    if (answer !== undefined) return answer;
  }
  switch (operator) {
    case '==':
    case '===':
      return left === right;
    case '!=':
      return left !== right;
    case '<':
      return left < right;
    case '>':
      return left > right;
    case '<=':
      return left <= right;
    default:
      return left >= right;
  }
}
