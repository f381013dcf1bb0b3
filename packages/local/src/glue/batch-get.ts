/** What there is of the items a batch names, and the names of which there is none. */
export function foundOf<Item>(
  names: readonly string[],
  find: (name: string) => Item | undefined,
): { readonly found: readonly Item[]; readonly absent: readonly string[] } {
  return {
    found: names.flatMap((name) => find(name) ?? []),
    absent: names.filter((name) => find(name) === undefined),
  }
}
