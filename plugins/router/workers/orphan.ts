import { connect } from 'node:net'
import { readLines, writeLine } from './lines.ts'
import type { ToControlPlane, ToSupervisor } from './messages.ts'

const everyMs = 100

/** Resolves once a supervisor listens at the socket and knows that this process holds its addresses. */
export async function untilSupervised(edgeSocket: string): Promise<void> {
  while (!(await introduced(edgeSocket))) await new Promise(resolve => setTimeout(resolve, everyMs))
}

function introduced(edgeSocket: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(edgeSocket)
    socket.on('error', () => socket.destroy())
    socket.once('connect', () =>
      writeLine(socket, { type: 'orphan', pid: process.pid } satisfies ToSupervisor),
    )
    // A connection alone proves nothing: the socket of the dead supervisor is closed a moment after its channel.
    readLines<ToControlPlane>(socket, ({ type }) => {
      if (type !== 'noted') return
      resolve(true)
      socket.destroy()
    })
    socket.once('close', () => resolve(false))
  })
}
