import type { Engine, Run } from '../contract.ts'
import { runJson } from './wire.ts'

const heartbeatMs = 15_000
/** A reader that lags so far behind is let go; it may come back and read from the beginning. */
const mostWaitingBytes = 8 * 1024 * 1024

/**
 * A run's log as server-sent events: what was written so far, then each new piece as a `message`, and at the end
 * one `end` with the run. With `timed`, each line begins with when it was written and to which stream. Comments in between keep proxies from closing it.
 */
export function logEvents(
  engine: Engine,
  run: Run,
  { timed, stopping }: { timed: boolean; stopping: AbortSignal },
): Response {
  const encoder = new TextEncoder()
  let release = () => {}
  const stream = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const send = (text: string) => {
          controller.enqueue(encoder.encode(text))
          if ((controller.desiredSize ?? 0) < -mostWaitingBytes) finish()
        }
        const finish = () => {
          release()
          controller.close()
        }
        const end = () => {
          const last = engine.getRun(run.id) ?? run
          send(event(JSON.stringify(runJson(last)), 'end'))
          finish()
        }
        const heartbeat = setInterval(() => send(': still here\n\n'), heartbeatMs)
        let stopFollowing = () => {}
        let released = false
        release = () => {
          if (released) return
          released = true
          clearInterval(heartbeat)
          stopping.removeEventListener('abort', finish)
          stopFollowing()
        }
        stopping.addEventListener('abort', finish, { once: true })

        const soFar = timed ? engine.timedLog(run.id) : engine.log(run.id)
        send('retry: 2000\n\n')
        if (soFar !== '') send(event(soFar))
        if (run.finishedAt !== null) return end()
        stopFollowing = engine.followLog(run.id, piece => {
          if (released) return
          if (piece === null) end()
          else send(event(timed ? piece.kept : piece.written))
        })
        if (released) stopFollowing()
      },
      cancel: () => release(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: 64 * 1024 }),
  )
  return new Response(stream, {
    headers: {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      // nginx would hold events back.
      'X-Accel-Buffering': 'no',
    },
  })
}

function event(data: string, name?: string): string {
  const lines = data.split(/\r\n|\r|\n/).map(line => `data: ${line}\n`)
  return `${name ? `event: ${name}\n` : ''}${lines.join('')}\n`
}
