import { Problem } from '../../../src/http/problem.ts'

/** Why a push is refused: in a few words for the line of its branch, and in sentences. */
export interface Refusal {
  reason: string
  detail: string
}

/** What to do about a large file that a later commit removes: git sends it all the same. */
export const largeInHistory =
  'Leave large files out of git. A file that a later commit removes stays in the history: remove it from every commit of the push, as with git rm --cached and git commit --amend.'

export const behind: Refusal = {
  reason: 'fetch first',
  detail:
    'The instance has newer commits, such as edits made on its pages. Nothing was changed. Run git pull --rebase, then push again.',
}

export const busy: Refusal = {
  reason: 'the jobs repo is in use',
  detail:
    'Nothing was changed: the files of the instance are being loaded, and that takes long, as when packages are installed. Push again when it is done.',
}

export const tooLong: Refusal = {
  reason: 'it took too long',
  detail:
    'Nothing was changed. Checking the push took too long. Push fewer commits at once, or try again later.',
}

export const tooMuch = (packBytes: number): Refusal => ({
  reason: 'too large',
  detail: `A push may have ${packBytes / 1024 / 1024} MiB. Nothing was changed. Push fewer commits at once. ${largeInHistory} If node_modules is committed, run git rm -r --cached node_modules.`,
})

/** What went wrong, in the words of a Problem; other errors are for the log. */
export const notReceived = (error: unknown): Refusal => ({
  reason: 'it could not be received',
  detail:
    error instanceof Problem
      ? error.detail
      : 'Nothing was changed. Receiving it broke off, as when it needs more memory or disk than there is. Push again; if it stays, push fewer commits at once.',
})

/** Null if the client may still push. */
export async function endedAccess(mayStill: () => Promise<void>): Promise<Refusal | null> {
  return (await problemOf(mayStill)) && accessEnded
}

const accessEnded: Refusal = {
  reason: 'your access has ended',
  detail: 'Nothing was changed. The token was revoked or has expired. Push again with another one.',
}

/** Null if the jobs repo can have a file of this name; `accept` throws a Problem if not. */
export async function refusedName(accept: () => void): Promise<Refusal | null> {
  const problem = await problemOf(accept)
  return problem && { reason: 'a path that cannot be here', detail: `${problem.detail} Nothing was changed.` }
}

/** Returns the Problem that a check throws, or null. Other errors are thrown on. */
async function problemOf(check: () => void | Promise<void>): Promise<Problem | null> {
  try {
    await check()
    return null
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
}
