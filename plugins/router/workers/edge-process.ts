import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { builtRoot } from '../../../src/root.ts'
import type { WorkerProgram } from './messages.ts'
import { passedOn } from './worker-process.ts'

export interface EdgeProcess {
  /** Resolves with its exit code, or the signal that ended it. */
  exited: Promise<number | string>
}

/** Starts the edge as a process that outlives this one. It logs to the same place, from `logLevel` on. */
export function startEdgeProcess(dataRoot: string, logLevel: string): EdgeProcess {
  const child = spawn(process.execPath, [builtRoot('edge.js'), dataRoot], {
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
    env: { ...Object.fromEntries(passedOn.map(name => [name, process.env[name]])), LOG_LEVEL: logLevel },
  })
  const exited = new Promise<number | string>(resolve => {
    child.once('error', error => resolve(error.message))
    child.once('exit', (code, signal) => resolve(signal ?? code ?? 0))
  })
  child.unref()
  return { exited }
}

/** The program of this version's workers. */
export function workerProgram(): WorkerProgram {
  const path = builtRoot('edge-worker.js')
  return { path, build: createHash('sha256').update(readFileSync(path)).digest('base64url').slice(0, 16) }
}
