import { mkdirSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { BootError } from '../../../src/boot-error.ts'

export interface EdgeFolder {
  /** Where the supervisor listens for its control plane. */
  edgeSocket: string
  /** Where the control plane listens for requests that the workers pass to it. */
  controlSocket: string
  /** The last state that the supervisor had. */
  stateFile: string
  /** The id of the supervisor's process. */
  pidFile: string
}

/** The longest path of a socket that Linux and macOS take. */
const longestPath = 103

/**
 * The folder through which the control plane and the edge meet: `.control/edge` in the data root, for this user only. Anyone who
 * can write to its sockets is trusted. Makes it when it is missing; throws with the reason, in words, when it cannot be used.
 */
export function edgeFolder(dataRoot: string): EdgeFolder {
  const folder = join(dataRoot, '.control', 'edge')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const { mode, uid } = statSync(folder)
  if (uid !== process.getuid?.())
    throw new Error(`${folder} belongs to another user; the edge and the control plane must run as its owner`)
  if ((mode & 0o077) !== 0)
    throw new Error(`${folder} is open to other users; close it with: chmod 700 ${folder}`)
  const files = {
    edgeSocket: join(folder, 'edge.sock'),
    controlSocket: join(folder, 'control.sock'),
    stateFile: join(folder, 'state.ndjson'),
    pidFile: join(folder, 'edge.pid'),
  }
  if (Buffer.byteLength(files.controlSocket) > longestPath)
    throw new Error(`the path ${files.controlSocket} is too long for a socket; choose a shorter data root`)
  return files
}

/** The same for a control plane: throws a BootError. */
export function usableFolder(dataRoot: string): EdgeFolder {
  try {
    return edgeFolder(dataRoot)
  } catch (error) {
    throw new BootError([`LONGHOUSE_DATA_ROOT: ${(error as Error).message}`])
  }
}

/** Whether a process listens at the socket; the file of one that was killed stays. */
export function answers(edgeSocket: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(edgeSocket)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
