import type { EventStreams, ServerEvent } from '../../../src/http/events/event-streams.ts'
import type { EventReader } from '../../../src/http/events/readers.ts'
import { asWritten } from '../../runner/log-line.ts'
import type { LogPiece } from '../../runner/open-log.ts'
import type { JobsService, Run } from '../contract.ts'
import { runJson } from './wire.ts'

/** About how much of a log one event has. */
const eventLength = 64 * 1024

/** What following a log needs from the jobs. */
export interface Followed {
  logs: Pick<JobsService['logs'], 'open'>
  runs: Pick<JobsService['runs'], 'find'>
}

/**
 * Sends what was written so far, then each new piece as a `message`, and at the end one `end` with the run. With
 * `timed`, each line begins with its time and stream. Every message has an id; a stream with `lastId` continues
 * after that message. Throws `overloaded`.
 */
export function followLog(
  streams: EventStreams,
  reader: EventReader,
  jobs: Followed,
  run: Run,
  options: { timed: boolean; lastId?: string | undefined },
): Response {
  return streams.open(reader, signal => eventsOf(jobs, run, { ...options, signal }))
}

async function* eventsOf(
  { logs, runs }: Followed,
  run: Run,
  { timed, lastId, signal }: { timed: boolean; lastId?: string | undefined; signal: AbortSignal },
): AsyncGenerator<ServerEvent> {
  const log = logs.open(run.id)
  let position = /^-?\d{1,15}$/.test(lastId ?? '') ? Number(lastId) : 0
  let complete = false
  let wake: (() => void) | null = null
  let fresh: LogPiece | null = null
  const stopFollowing = log.follow(piece => {
    if (piece === null) complete = true
    // A reader that keeps up gets a piece as it comes; a slow one reads from the stored log.
    else if (wake && !fresh && piece.from === position && heldBack(piece.kept) === 0) fresh = piece
    wake?.()
  })
  const onAbort = () => wake?.()
  signal.addEventListener('abort', onAbort)
  try {
    while (!signal.aborted) {
      const wasComplete = complete
      const { text, next } = log.from(position, eventLength)
      const held = wasComplete ? 0 : heldBack(text)
      if (next !== position && text.length > held) {
        position = next - held
        const kept = text.slice(0, text.length - held)
        const data = timed ? kept : asWritten(kept)
        if (data !== '') yield { id: String(position), data }
        continue
      }
      if (wasComplete) return yield { name: 'end', data: JSON.stringify(runJson(runs.find(run.id) ?? run)) }
      await new Promise<void>(resolve => {
        wake = resolve
      })
      wake = null
      const piece = fresh as LogPiece | null
      fresh = null
      if (!piece) continue
      position = piece.to
      const data = timed ? piece.kept : piece.written
      if (data !== '') yield { id: String(position), data }
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    stopFollowing()
  }
}

/**
 * How many characters of a growing log wait for those after them: in an event, a carriage return is a line end, and the one
 * of a CRLF must not become two.
 */
const heldBack = (text: string): number => (text.endsWith('\r') ? 1 : 0)
