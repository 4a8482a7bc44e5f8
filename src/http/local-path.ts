/** The path to go on to after a form, when it is one of this very site; otherwise `fallback`. */
export function localPath(next: string | undefined, fallback: string): string {
  if (!next?.startsWith('/')) return fallback
  // Browsers read `//host`, `/\host` and control characters in ways of their own: only what parses as our own path.
  const base = 'http://localhost'
  if (/[\\\p{Cc}]/u.test(next) || !URL.canParse(next, base)) return fallback
  const { origin, pathname, search, hash } = new URL(next, base)
  // `/x/..//host` begins with two slashes only once it is resolved.
  return origin === base && !pathname.startsWith('//') ? pathname + search + hash : fallback
}
