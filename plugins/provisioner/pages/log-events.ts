import { type EventReader, ReaderPlaces } from '../../../src/http/events/readers.ts'
import type { LogEntry } from '../driver.ts'
import { entryText } from '../log/log-text.ts'

const mostReaders = 20
const mostOfOne = 5
const beatMs = 15_000
/** About how much may wait for one reader; then the next lines are not read from the engine. */
const aheadBytes = 64 * 1024
/** A reader that reads nothing for so many beats while lines wait is disconnected. */
const patienceBeats = 4

/** Container logs as event streams, for a limited number of readers. `closing` ends them all. */
export function createLogEvents(closing: AbortSignal) {
  const places = new ReaderPlaces(mostReaders, mostOfOne)
  return {
    /** Each line is a `message`; when the instance ends there is one `end`. Throws `overloaded`. */
    of: (reader: EventReader, open: (signal: AbortSignal) => AsyncIterable<LogEntry>): Response => {
      const giveBack = places.take(reader)
      const left = new AbortController()
      const signal = AbortSignal.any([closing, left.signal])
      return new Response(
        eventsOf(reader, open(signal)[Symbol.asyncIterator](), () => {
          giveBack()
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

function eventsOf(
  reader: EventReader,
  lines: AsyncIterator<LogEntry>,
  leave: () => void,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let beats: NodeJS.Timeout | undefined
  let silentBeats = 0
  let askedAt = performance.now()
  const end = () => {
    clearInterval(beats)
    leave()
  }
  return new ReadableStream<Uint8Array>(
    {
      start: controller => {
        controller.enqueue(encoder.encode('retry: 2000\n\n'))
        beats = setInterval(() => {
          void reader.stillMay().then(may => {
            if (may) return
            end()
            // It may have ended meanwhile.
            if (controller.desiredSize !== null) controller.error(new Error(accessEnded))
          })
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
          if (performance.now() - askedAt >= askAfterMs) {
            if (!(await reader.stillMay())) throw new Error(accessEnded)
            askedAt = performance.now()
          }
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

/** While lines come, a reader’s access is looked up no more often than this. */
const askAfterMs = 1000
const accessEnded = 'your access has ended'

/** In an event, a carriage return would end the line. */
const eventText = (entry: LogEntry) => entryText(entry).replace(/[\r\n]/g, ' ')
