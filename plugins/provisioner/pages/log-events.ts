import { overloaded } from '../../../src/http/problem.ts'
import type { LogEntry } from '../driver.ts'
import { entryText } from './log-text.ts'

const mostReaders = 20
const beatMs = 15_000
/** About how much may wait for one reader; then the next lines are not read from the engine. */
const aheadBytes = 64 * 1024
/** A reader that reads nothing for so many beats while lines wait is disconnected. */
const patienceBeats = 4

/** Container logs as event streams, for a limited number of readers. `closing` ends them all. */
export function createLogEvents(closing: AbortSignal) {
  let readers = 0
  return {
    /** Each line is a `message`; when the instance ends there is one `end`. Throws `overloaded`. */
    of: (open: (signal: AbortSignal) => AsyncIterable<LogEntry>): Response => {
      if (readers >= mostReaders)
        throw overloaded(
          `${mostReaders} clients are following logs already. Close one of them, or request the log without events.`,
          { headers: { 'Retry-After': '15' } },
        )
      readers++
      const left = new AbortController()
      const signal = AbortSignal.any([closing, left.signal])
      return new Response(
        eventsOf(open(signal)[Symbol.asyncIterator](), () => {
          if (left.signal.aborted) return
          readers--
          left.abort()
        }),
        {
          headers: {
            'Content-Type': 'text/event-stream; charset=utf-8',
            'Cache-Control': 'no-store',
            // nginx would buffer events.
            'X-Accel-Buffering': 'no',
          },
        },
      )
    },
  }
}

function eventsOf(lines: AsyncIterator<LogEntry>, leave: () => void): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let beats: NodeJS.Timeout | undefined
  let silentBeats = 0
  const end = () => {
    clearInterval(beats)
    leave()
  }
  return new ReadableStream<Uint8Array>(
    {
      start: controller => {
        controller.enqueue(encoder.encode('retry: 2000\n\n'))
        beats = setInterval(() => {
          if ((controller.desiredSize ?? 0) > 0) return controller.enqueue(encoder.encode(': still here\n\n'))
          if (++silentBeats < patienceBeats) return
          end()
          controller.error(new Error('the lines were not read'))
        }, beatMs)
      },
      // Only a reader with room for more has the next line read.
      pull: async controller => {
        silentBeats = 0
        try {
          const { done, value } = await lines.next()
          if (!done) return controller.enqueue(encoder.encode(`data: ${eventText(value)}\n\n`))
          controller.enqueue(encoder.encode('event: end\ndata: the instance is not running\n\n'))
        } catch (error) {
          const words = error instanceof Error ? error.message : String(error)
          controller.enqueue(encoder.encode(`event: end\ndata: ${words.replace(/[\r\n]+/g, ' ')}\n\n`))
        }
        end()
        controller.close()
      },
      cancel: end,
    },
    new ByteLengthQueuingStrategy({ highWaterMark: aheadBytes }),
  )
}

/** In an event, a carriage return would end the line. */
const eventText = (entry: LogEntry) => entryText(entry).replace(/[\r\n]/g, ' ')
