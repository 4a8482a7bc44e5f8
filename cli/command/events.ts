import type { IncomingMessage } from 'node:http'

interface Event {
  name: string
  data: string
  id: string | null
}

/** The events of a stream, as https://html.spec.whatwg.org/multipage/server-sent-events.html has them. */
export async function* eventsOf(stream: IncomingMessage): AsyncGenerator<Event> {
  let rest = ''
  let event = { name: 'message', data: [] as string[], id: null as string | null }
  for await (const chunk of stream.setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line === '') {
        if (event.data.length > 0) yield { ...event, data: event.data.join('\n') }
        event = { name: 'message', data: [], id: null }
        continue
      }
      const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
      if (field === 'data') event.data.push(value)
      if (field === 'event') event.name = value
      if (field === 'id') event.id = value
    }
  }
}
