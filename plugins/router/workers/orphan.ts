import { existsSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { readLines, writeLine } from './lines.ts'
import type { ToControlPlane, ToSupervisor } from './messages.ts'

const everyMs = 100

/**
 * For a worker whose supervisor died. Resolves with true once another one takes its place; with false when the folder of the socket is
 * gone, where none will ever be found.
 */
export async function untilRelieved(edgeSocket: string): Promise<boolean> {
  while (!(await introduced(edgeSocket))) {
    if (!existsSync(dirname(edgeSocket))) return false
    await new Promise(resolve => setTimeout(resolve, everyMs))
  }
  return true
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

/** The workers whose supervisor died, for the next one. They serve until they are relieved. */
export class Orphans {
  readonly #waiting = new Set<Socket>()
  #met = false

  /** Whether there were any. */
  get met(): boolean {
    return this.#met
  }

  /** Whether some still serve. */
  get waiting(): boolean {
    return this.#waiting.size > 0
  }

  add(socket: Socket): void {
    this.#met = true
    this.#waiting.add(socket)
    socket.once('close', () => this.#waiting.delete(socket))
  }

  /** Has each let go of its addresses, and end after its requests. */
  relieve(): void {
    for (const socket of this.#waiting) writeLine(socket, { type: 'noted' } satisfies ToControlPlane)
    this.#waiting.clear()
  }
}
