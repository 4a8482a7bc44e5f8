import type { EventStreams, ServerEvent } from '../../../src/http/events/event-streams.ts'
import type { EventReader } from '../../../src/http/events/readers.ts'
import type { LogEntry } from '../driver.ts'
import { entryText } from '../log/log-text.ts'

/** A container's log as events: each line is a `message`; when the instance ends there is one `end`. Throws `overloaded`. */
export function followLog(
  streams: EventStreams,
  reader: EventReader,
  open: (signal: AbortSignal) => AsyncIterable<LogEntry>,
): Response {
  return streams.open(reader, signal => eventsOf(open(signal), signal))
}

async function* eventsOf(lines: AsyncIterable<LogEntry>, signal: AbortSignal): AsyncGenerator<ServerEvent> {
  try {
    for await (const line of lines) yield { data: eventText(line) }
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error)
    return yield { name: 'end', data: words.replace(/[\r\n]+/g, ' ') }
  }
  if (!signal.aborted) yield { name: 'end', data: 'the instance is not running' }
}

/** In an event, a carriage return would end the line. */
const eventText = (entry: LogEntry) => entryText(entry).replace(/[\r\n]/g, ' ')
