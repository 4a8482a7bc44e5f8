import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { decode, encode } from 'dns-packet'

const codes = { noError: 0, serverFailure: 2, noSuchName: 3, refused: 5 } as const

export interface NameServer {
  /** Its address, for `DOMAINS_RESOLVERS`. */
  address: string
  /** TXT records by name. A name that is not here does not exist; one without records has none of this type. */
  records: Map<string, string[]>
  /** How it answers: as it should, with a failure, with a refusal, or not at all. */
  mood: 'well' | 'failing' | 'refusing' | 'silent'
  /** The names that it was asked for. */
  asked: string[]
}

/** A real name server on a port of this machine. */
export async function startNameServer(t: Pick<TestContext, 'after'>): Promise<NameServer> {
  const socket = createSocket('udp4')
  const records: NameServer['records'] = new Map()
  const server: NameServer = { address: '', records, mood: 'well', asked: [] }
  socket.on('message', (message, peer) => {
    const { id = 0, flags = 0, questions = [] } = decode(message)
    const [question] = questions
    if (!question) return
    const { name } = question
    server.asked.push(name)
    if (server.mood === 'silent') return
    const found = records.get(name.toLowerCase())
    const code =
      server.mood === 'failing'
        ? codes.serverFailure
        : server.mood === 'refusing'
          ? codes.refused
          : found
            ? codes.noError
            : codes.noSuchName
    const answers = (code === codes.noError && found) || []
    const answer = encode({
      type: 'response',
      id,
      flags: (flags & 0x0100) | 0x0400 | code,
      questions,
      // Cut into parts of 20 bytes, as zones with long texts have it.
      answers: answers.map(text => ({
        type: 'TXT' as const,
        name,
        ttl: 0,
        data: (text.match(/.{1,20}/g) ?? ['']).map(part => Buffer.from(part)),
      })),
    })
    socket.send(answer, peer.port, peer.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.after(() => socket.close())
  server.address = `127.0.0.1:${socket.address().port}`
  return server
}
