// A separate program for one push: what is pushed is read and checked with the restrictions of a helper program, and
// isomorphic-git is large. It ends with its parent.
import { serial } from '../../src/concurrency.ts'
import { outputOf } from './git-command.ts'
import { dropObsolete, repack } from './packs/repack.ts'
import type { ReceiveAnswers, ReceiveReply, ReceiveRequest } from './pushes/receive-protocol.ts'
import { take } from './pushes/take.ts'
import { unpack } from './pushes/unpack.ts'

const inOrder = serial()

process.on('message', (request: ReceiveRequest) => {
  void inOrder(async () => {
    const reply = await replyTo(request)
    if (process.connected) process.send?.(reply)
  })
})
process.once('disconnect', () => process.exit(0))

async function replyTo(request: ReceiveRequest): Promise<ReceiveReply> {
  const { id, dir } = request
  try {
    return { id, ok: await answerTo(request, dir) }
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) }
  }
}

async function answerTo(request: ReceiveRequest, dir: string): Promise<ReceiveAnswers[keyof ReceiveAnswers]> {
  if (request.op === 'unpack') return await unpack(request)
  if (request.op === 'take') return await take(dir, request)
  const { repo, limits, drop } = request
  dropObsolete(dir, drop)
  return { packs: await repack(dir, { repo, limits, git: outputOf }) }
}
