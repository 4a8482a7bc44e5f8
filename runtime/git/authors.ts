/** The author of a change, as a commit names them. */
export interface Author {
  name: string
  email: string
}

/** The author of the instance's own commits, and the committer of all. */
export const longhouse: Author = { name: 'Longhouse', email: 'longhouse@localhost' }

export function sameAuthor(a: Author, b: Author): boolean {
  return a.name === b.name && a.email === b.email
}

/** Git ends a name at `<` and a line at its end, so a name may contain neither. */
export function cleanAuthor({ name, email }: Author): Author {
  const clean = (text: string, fallback: string) =>
    text
      .replace(/[\p{Cc}<>\s]+/gu, ' ')
      .replace(/^[\s.,:;"'\\]+|[\s.,:;"'\\]+$/g, '')
      .slice(0, 200) || fallback
  return { name: clean(name, 'unknown'), email: clean(email, 'unknown@localhost').replaceAll(' ', '') }
}

/** The trailer by which GitHub and GitLab recognise co-authors. */
export function coAuthorLine({ name, email }: Author): string {
  return `Co-authored-by: ${name} <${email}>`
}
