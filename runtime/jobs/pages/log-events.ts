import { overloaded } from '../../../src/http/problem.ts'
import { asWritten } from '../../runner/log-line.ts'
import type { JobsService, Run } from '../contract.ts'
import { runJson } from './wire.ts'

/** About how much may wait for one reader. The rest is read from the log when the reader continues. */
const aheadBytes = 64 * 1024

/** A reader that reads nothing for this many beats while data waits is disconnected. */
const patienceBeats = 4

/** What following a log needs from the jobs. */
export interface Followed {
  logs: Pick<JobsService['logs'], 'open'>
  runs: Pick<JobsService['runs'], 'find'>
}

/** Logs of runs as event streams, for a limited number of readers. */
export interface LogEvents {
  /**
   * Sends what was written so far, then each new piece as a `message`, and at the end one `end` with the run. With
   * `timed`, each line begins with its time and stream. Every message has an id; a stream with `lastId` continues
   * after that message. Comments in between keep proxies from closing it. Throws `overloaded`.
   */
  of(jobs: Followed, run: Run, options: { timed: boolean; lastId?: string | undefined }): Response
}

export function createLogEvents({
  stopping,
  mostReaders = 50,
  beatMs = 15_000,
}: {
  stopping: AbortSignal
  mostReaders?: number
  beatMs?: number
}): LogEvents {
  let readers = 0
  return {
    of: (jobs, run, options) => {
      if (readers >= mostReaders) {
        const words = `${mostReaders} clients are following logs already. Close one of them, or request the log without events.`
        throw overloaded(words, { headers: { 'Retry-After': '15' } })
      }
      readers++
      const onLeft = () => readers--
      return new Response(eventsOf(jobs, run, { ...options, stopping, beatMs, onLeft }), {
        headers: {
          'Content-Type': 'text/event-stream; charset=utf-8',
          'Cache-Control': 'no-store',
          // nginx would buffer events.
          'X-Accel-Buffering': 'no',
        },
      })
    },
  }
}

function eventsOf(
  { logs, runs }: Followed,
  run: Run,
  options: {
    timed: boolean
    lastId?: string | undefined
    stopping: AbortSignal
    beatMs: number
    onLeft: () => void
  },
): ReadableStream<Uint8Array> {
  const { timed, stopping } = options
  const encoder = new TextEncoder()
  const log = logs.open(run.id)
  let position = /^-?\d{1,15}$/.test(options.lastId ?? '') ? Number(options.lastId) : 0
  let complete = false
  let silentBeats = 0
  let release = () => {}
  let pump = () => {}

  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        let released = false
        const hasRoom = () => !released && (controller.desiredSize ?? 0) > 0
        const send = (text: string) => controller.enqueue(encoder.encode(text))
        const sendPiece = (text: string, next: number) => {
          position = next
          if (text !== '') send(event(text, `id: ${next}`))
        }
        const finish = () => {
          if (released) return
          release()
          controller.close()
        }
        const beat = () => {
          if (hasRoom()) return send(': still here\n\n')
          if (++silentBeats < patienceBeats) return
          release()
          controller.error(
            new Error('the events were not read; a reader with Last-Event-ID goes on from there'),
          )
        }
        const beats = setInterval(beat, options.beatMs)
        let stopFollowing = () => {}
        release = () => {
          if (released) return
          released = true
          clearInterval(beats)
          stopping.removeEventListener('abort', finish)
          stopFollowing()
          options.onLeft()
        }
        pump = () => {
          while (hasRoom()) {
            const { text, next } = log.from(position, aheadBytes)
            const held = complete ? 0 : heldBack(text)
            if (next === position || text.length === held) break
            const kept = text.slice(0, text.length - held)
            sendPiece(timed ? kept : asWritten(kept), next - held)
          }
          if (!complete || !hasRoom()) return
          send(event(JSON.stringify(runJson(runs.find(run.id) ?? run)), 'event: end'))
          finish()
        }
        if (stopping.aborted) return finish()
        stopping.addEventListener('abort', finish, { once: true })
        send('retry: 2000\n\n')
        stopFollowing = log.follow(piece => {
          if (piece === null) complete = true
          // A reader that keeps up gets every piece at once; a slow one reads from the stored log.
          else if (piece.from === position && heldBack(piece.kept) === 0 && hasRoom())
            return sendPiece(timed ? piece.kept : piece.written, piece.to)
          pump()
        })
      },
      pull: () => {
        silentBeats = 0
        pump()
      },
      cancel: () => release(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: aheadBytes }),
  )
}

/**
 * How many characters of a growing log wait for those after them: in an event, a carriage return is a line end, and the one
 * of a CRLF must not become two.
 */
const heldBack = (text: string): number => (text.endsWith('\r') ? 1 : 0)

function event(data: string, field: string): string {
  const lines = data.split(/\r\n|\r|\n/).map(line => `data: ${line}\n`)
  return `${field}\n${lines.join('')}\n`
}
