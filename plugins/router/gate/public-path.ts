/** Whatever could make the instance read another path than the one that is compared here. */
const ambiguous = /%2e|%2f|%5c|\\|\/\/|\/\.{1,2}(\/|$)/i

/** Whether a path, with its query, is at or below one of the prefixes, such as `/badges`. */
export function isPublicPath(path: string, prefixes: readonly string[]): boolean {
  if (prefixes.length === 0) return false
  const end = path.search(/[?#]/)
  const plain = end < 0 ? path : path.slice(0, end)
  if (ambiguous.test(plain)) return false
  return prefixes.some(prefix => plain === prefix || plain.startsWith(`${prefix}/`))
}
