/** The characters that an Authorization header can carry unchanged, and enough of them not to be guessed. */
export const tokenForm = /^[\x21-\x7e]{16,}$/
export const tokenRule = 'must have at least 16 characters: ASCII letters, digits and signs, no spaces'

/** The token of an `Authorization: Bearer` header; undefined when there is none. */
export function bearerToken(header: string | undefined): string | undefined {
  return /^Bearer\s+(\S+)\s*$/i.exec(header ?? '')?.[1]
}
