// A separate program for one push: what is pushed is read and checked with the restrictions of a helper program, and
// isomorphic-git is large. It ends with its parent.
import { serial } from '../../src/concurrency.ts'
import type { ReceiveReply, ReceiveRequest } from './receive-protocol.ts'
import { take } from './take.ts'
import { unpack } from './unpack.ts'

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
    return { id, ok: request.op === 'unpack' ? await unpack(request) : await take(dir, request) }
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) }
  }
}
