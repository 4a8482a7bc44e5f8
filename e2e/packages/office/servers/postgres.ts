import { createServer } from 'node:net'
import { PGlite } from '@electric-sql/pglite'
import { listening } from './listening'

/** Postgres itself, compiled to WebAssembly, behind a socket on loopback. It serves one connection at a time. */
export async function startPostgres() {
  const postgres = await PGlite.create()
  const server = createServer(socket => {
    let waiting = Buffer.alloc(0)
    let greeted = false
    let last: Promise<unknown> = Promise.resolve()
    socket.on('error', () => {})
    socket.on('data', chunk => {
      waiting = Buffer.concat([waiting, chunk])
      for (let message = take(); message; message = take()) {
        const one = message
        last = last.then(async () => {
          if (one[0] === 'X'.charCodeAt(0) && greeted) return socket.end()
          socket.write(await postgres.execProtocolRaw(one))
        })
      }
    })
    /** The next whole message; a client's first one has no type byte in front. */
    function take(): Buffer | null {
      const head = greeted ? 1 : 0
      if (waiting.length < head + 4) return null
      const end = head + waiting.readUInt32BE(head)
      if (waiting.length < end) return null
      const message = waiting.subarray(0, end)
      waiting = waiting.subarray(end)
      greeted = true
      return message
    }
  })
  const port = await listening(server)
  const stop = async () => {
    server.close()
    await postgres.close()
  }
  return { port, stop }
}
