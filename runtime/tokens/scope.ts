/** What a token may do; each allows what stands before it, too. */
export const scopes = ['read', 'run', 'write'] as const

export type Scope = (typeof scopes)[number]

export function allows(held: Scope, needed: Scope): boolean {
  return scopes.indexOf(held) >= scopes.indexOf(needed)
}
