import type { Socket } from 'node:net'

/** A route with all its rules fits many times over. */
const longestLine = 4 * 1024 * 1024

/** Sends a message as one line of JSON. */
export function writeLine(socket: Socket, message: object): void {
  if (socket.writable) socket.write(`${JSON.stringify(message)}\n`)
}

/**
 * Calls `take` for each line of JSON that arrives. Closes the connection when a line is not an object of a named type, or
 * longer than 4 MiB.
 */
export function readLines<Message extends { type: string }>(
  socket: Socket,
  take: (message: Message) => void,
): void {
  let pieces: string[] = []
  let length = 0
  socket.setEncoding('utf8')
  socket.on('data', (text: string) => {
    let start = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      pieces.push(text.slice(start, end))
      const message = parse<Message>(pieces.join(''))
      pieces = []
      length = 0
      start = end + 1
      if (!message) {
        socket.destroy()
        return
      }
      take(message)
      if (socket.destroyed) return
    }
    pieces.push(text.slice(start))
    length += text.length - start
    if (length > longestLine) socket.destroy()
  })
}

function parse<Message extends { type: string }>(line: string): Message | null {
  try {
    const value: unknown = JSON.parse(line)
    const isMessage = typeof value === 'object' && value !== null && 'type' in value
    return isMessage && typeof value.type === 'string' ? (value as Message) : null
  } catch {
    return null
  }
}
