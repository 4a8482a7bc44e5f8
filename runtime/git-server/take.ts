import {
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { checkout } from '../git/work-tree/checkout.ts'
import type { ReceiveAnswers, ReceiveQuestion } from './receive-protocol.ts'
import { behind } from './ref-commands.ts'

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

/** Packs before their indexes: a pack is read once it has one. */
function moveObjects(from: string, to: string): void {
  const files = readdirSync(from, { recursive: true, encoding: 'utf8' })
    .filter(name => /^([0-9a-f]{2}\/[0-9a-f]{38}|pack\/pack-[0-9a-f]{40}\.(pack|rev|idx))$/.test(name))
    .sort((a, b) => Number(a.endsWith('.idx')) - Number(b.endsWith('.idx')))
  for (const name of files) {
    const [source, place] = [join(from, name), join(to, name)]
    if (existsSync(place) || !lstatSync(source).isFile()) continue
    mkdirSync(dirname(place), { recursive: true })
    link(source, place)
  }
}

function link(source: string, place: string): void {
  try {
    linkSync(source, place)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return
    // A file system without hard links.
    const draft = `${place}.tmp`
    copyFileSync(source, draft)
    renameSync(draft, place)
    rmSync(draft, { force: true })
  }
}
