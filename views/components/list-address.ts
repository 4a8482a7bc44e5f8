/** The address of one page of a long list; empty parameters are left out. */
export function listAddress(
  path: string,
  { search = '', offset, more = {} }: { search?: string; offset: number; more?: Record<string, string> },
): string {
  const query = new URLSearchParams({
    ...(search ? { search } : {}),
    ...more,
    ...(offset > 0 ? { offset: String(offset) } : {}),
  })
  return query.size === 0 ? path : `${path}?${query}`
}
