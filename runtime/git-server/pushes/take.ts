import { join } from 'node:path'
import { checkout } from '../../git/work-tree/checkout.ts'
import { moveObjects } from '../packs/move-objects.ts'
import type { ReceiveAnswers, ReceiveQuestion } from './receive-protocol.ts'
import { behind } from './refusals.ts'

type Take = Extract<ReceiveQuestion, { op: 'take' }>

/**
 * Moves the received objects into the jobs repo, and checks the commit out: all of it, or nothing. Objects of a push
 * that is refused now belong to no branch, and do no harm.
 */
export async function take(dir: string, { repo, branch, from, to }: Take): Promise<ReceiveAnswers['take']> {
  moveObjects(join(repo, 'objects'), join(dir, '.git/objects'))
  const done = await checkout(dir, { branch, from, to })
  if (done.done) return { refused: null }
  if (done.stale) return { refused: behind }
  if (done.edited === null) {
    const detail = `Nothing was changed: ${done.refused}. Try again when it is done.`
    return { refused: { reason: 'the jobs repo is in use', detail } }
  }
  const detail = `Nothing was changed: ${done.edited} has an edit on the instance that is in no commit, because it does not load or git ignores it. Finish or undo that edit on the pages of the instance, then push again.`
  return { refused: { reason: 'an edit is in the way', detail } }
}
