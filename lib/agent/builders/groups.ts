/** Packages by the files that they share: which of them wrote such a file last, nobody knows. */
export class Groups<T> {
  readonly #ofPath = new Map<string, { members: T[]; paths: string[] }>();
  readonly #all = new Set<{ members: T[]; paths: string[] }>();

  add(member: T, paths: readonly string[]): void {
    const group = { members: [member], paths: [...new Set(paths)] };
    for (const other of new Set(paths.flatMap((at) => this.#ofPath.get(at) ?? []))) {
      this.#all.delete(other);
      group.members.push(...other.members);
      group.paths = [...new Set([...group.paths, ...other.paths])];
    }
    for (const at of group.paths) this.#ofPath.set(at, group);
    this.#all.add(group);
  }

  get parts(): readonly { readonly members: readonly T[]; readonly paths: readonly string[] }[] {
    return [...this.#all];
  }
}
