import { createServer, type Socket } from 'node:net'
import { BSON, type Document } from 'mongodb'
import { listening } from './listening'

const opReply = 1
const opMessage = 2013

/** As much of MongoDB's protocol as one client needs: hello, insert, and find with `$gt`. */
export async function startMongo() {
  const kept: Document[] = []
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    let waiting = Buffer.alloc(0)
    socket.on('error', () => {})
    socket.on('data', chunk => {
      waiting = Buffer.concat([waiting, chunk])
      while (waiting.length >= 4 && waiting.length >= waiting.readInt32LE(0)) {
        const message = waiting.subarray(0, waiting.readInt32LE(0))
        waiting = waiting.subarray(message.length)
        socket.write(answerTo(message, kept))
      }
    })
  })
  const port = await listening(server)
  const stop = () => {
    for (const socket of sockets) socket.destroy()
    return new Promise(done => server.close(done))
  }
  return { port, stop }
}

function answerTo(message: Buffer, kept: Document[]): Buffer {
  const id = message.readInt32LE(4)
  if (message.readInt32LE(12) !== opMessage) {
    const head = Buffer.alloc(20)
    head.writeInt32LE(1, 16)
    return framed(id, opReply, Buffer.concat([head, BSON.serialize(hello())]))
  }
  const { command, documents } = sectionsOf(message.subarray(20))
  const body = Buffer.concat([Buffer.alloc(5), BSON.serialize(carryOut(command, documents, kept))])
  return framed(id, opMessage, body)
}

function sectionsOf(bytes: Buffer): { command: Document; documents: Document[] } {
  let command: Document = {}
  const documents: Document[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + bytes.readInt32LE(at + 1)
    if (bytes[at] === 0) command = BSON.deserialize(bytes.subarray(at + 1, end))
    else {
      for (let next = bytes.indexOf(0, at + 5) + 1; next < end; next += bytes.readInt32LE(next)) {
        documents.push(BSON.deserialize(bytes.subarray(next, next + bytes.readInt32LE(next))))
      }
    }
    at = end
  }
  return { command, documents }
}

function carryOut(command: Document, documents: Document[], kept: Document[]): Document {
  if ('insert' in command) {
    const given: Document[] = [...documents, ...(command.documents ?? [])]
    kept.push(...given)
    return { ok: 1, n: given.length }
  }
  if ('find' in command) {
    const firstBatch = kept.filter(each => each.value > command.filter.value.$gt)
    return { ok: 1, cursor: { id: BSON.Long.ZERO, ns: 'test.readings', firstBatch } }
  }
  return 'hello' in command || 'ismaster' in command ? hello() : { ok: 1 }
}

function hello(): Document {
  return {
    ok: 1,
    isWritablePrimary: true,
    helloOk: true,
    maxBsonObjectSize: 16 * 1024 * 1024,
    maxMessageSizeBytes: 48_000_000,
    maxWriteBatchSize: 100_000,
    minWireVersion: 0,
    maxWireVersion: 21,
  }
}

function framed(answers: number, operation: number, body: Buffer): Buffer {
  const head = Buffer.alloc(16)
  head.writeInt32LE(16 + body.length, 0)
  head.writeInt32LE(answers, 8)
  head.writeInt32LE(operation, 12)
  return Buffer.concat([head, body])
}
