import type { AppContext } from '../../src/http/route.ts'
import { type Author, cleanAuthor, longhouse } from '../git/authors.ts'

/** The caller, as the commit of their change names them: see docs/decisions/who-made-a-commit.md. */
export function authorOf(c: AppContext, address: string): Author {
  const actor = c.get('actor')
  if (!actor) return longhouse
  const host = new URL(address).hostname
  if (actor.kind === 'token')
    return cleanAuthor({ name: `${actor.name} (API token)`, email: `token@${host}` })
  const { email } = actor
  return cleanAuthor(email ? { name: email, email } : { name: 'Owner', email: `owner@${host}` })
}
