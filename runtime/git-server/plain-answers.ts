import { Problem } from '../../src/http/problem.ts'
import type { AppContext, Guard } from '../../src/http/route.ts'

/**
 * Wraps a guard so that its refusals, and the errors of the handler behind it, are plain text: git shows no other to
 * its user.
 */
export function plainAnswers(guard: Guard): Guard {
  return {
    schemes: guard.schemes,
    check: async (c, next) => {
      try {
        const answer = await guard.check(c, next)
        // An error behind the guard has been made a document already.
        if (c.error instanceof Problem) c.res = plain(c, c.error)
        return answer
      } catch (error) {
        if (error instanceof Problem) return plain(c, error)
        throw error
      }
    },
  }
}

function plain(c: AppContext, problem: Problem): Response {
  if (problem.status >= 500) c.get('log').warn({ reason: problem.detail }, problem.title)
  return new Response(`${problem.title}. ${problem.detail}\n`, {
    status: problem.status,
    headers: { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store', ...problem.headers },
  })
}
