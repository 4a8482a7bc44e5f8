/** Who made a change, as a commit names them. */
export interface Author {
  name: string
  email: string
}

/** What commits by itself, and writes down the commits of others. */
export const longhouse: Author = { name: 'Longhouse', email: 'longhouse@localhost' }

export function sameAuthor(a: Author, b: Author): boolean {
  return a.name === b.name && a.email === b.email
}

/** Git ends a name at `<` and a line at its end: neither may be in one. */
export function cleanAuthor({ name, email }: Author): Author {
  const clean = (text: string, fallback: string) =>
    text
      .replace(/[\p{Cc}<>\s]+/gu, ' ')
      .replace(/^[\s.,:;"'\\]+|[\s.,:;"'\\]+$/g, '')
      .slice(0, 200) || fallback
  return { name: clean(name, 'unknown'), email: clean(email, 'unknown@localhost').replaceAll(' ', '') }
}

/** The line by which GitHub and GitLab name the others who had a part in a commit. */
export function coAuthorLine({ name, email }: Author): string {
  return `Co-authored-by: ${name} <${email}>`
}
