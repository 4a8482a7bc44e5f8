import { createServer } from 'node:net'
import { listening } from './listening'

type Command = (...given: string[]) => string

/** As much of Redis as a queue needs: lists, counters and hashes, in the protocol's version 2. */
export async function startRedis() {
  const lists = new Map<string, string[]>()
  const counts = new Map<string, number>()
  const list = (key: string) => {
    const found = lists.get(key) ?? []
    lists.set(key, found)
    return found
  }
  const commands: Record<string, Command> = {
    info: () => bulk('redis_version:7.0.0\r\nloading:0\r\n'),
    lpush: (key = '', ...values) => whole(list(key).unshift(...values)),
    rpop: (key = '') => bulk(list(key).pop() ?? null),
    incrby: (key = '', by) => {
      counts.set(key, (counts.get(key) ?? 0) + Number(by))
      return whole(counts.get(key) ?? 0)
    },
    quit: () => '+OK\r\n',
  }
  const server = createServer(socket => {
    let waiting = ''
    socket.on('error', () => {})
    socket.setEncoding('latin1').on('data', (text: string) => {
      waiting += text
      for (let taken = take(waiting); taken; taken = take(waiting)) {
        waiting = waiting.slice(taken.length)
        const [name = '', ...given] = taken.words
        socket.write(commands[name.toLowerCase()]?.(...given) ?? `-ERR unknown command '${name}'\r\n`)
      }
    })
  })
  const port = await listening(server)
  return { port, stop: () => server.close() }
}

function take(text: string): { words: string[]; length: number } | null {
  const head = /^\*(\d+)\r\n/.exec(text)
  if (!head) return null
  const words: string[] = []
  let at = head[0].length
  for (let left = Number(head[1]); left > 0; left--) {
    const size = /^\$(\d+)\r\n/.exec(text.slice(at))
    if (!size) return null
    const from = at + size[0].length
    at = from + Number(size[1]) + 2
    if (text.length < at) return null
    words.push(text.slice(from, at - 2))
  }
  return { words, length: at }
}

const bulk = (text: string | null) => (text === null ? '$-1\r\n' : `$${text.length}\r\n${text}\r\n`)
const whole = (value: number) => `:${value}\r\n`
