import { type Agent, type IncomingMessage, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { digestOf, framesIn, textFrame } from './body.fixture.ts'
import type { Chance } from './chance.fixture.ts'
import type { End, Story } from './story.fixture.ts'

export const kinds = [
  'get',
  'kept',
  'kept',
  'get',
  'large',
  'slow reader',
  'upload',
  'chunked upload',
  'slow writer',
  'events',
  'websocket',
  'pipelined',
  'http/1.0',
  'abort',
  'control',
] as const
export type Kind = (typeof kinds)[number]

/** The edge, and the connections to it that are kept. */
export interface Door {
  port: number
  agent: Agent
}

/** When a kept connection last carried the end of an answer. */
const usedAt = new WeakMap<Socket, number>()

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

/** Sends the request of a story and returns how it ended. A pipelined pair is two stories. */
export async function tell(
  door: Door,
  kind: Kind,
  [story, second]: [Story, Story?],
  chance: Chance,
): Promise<void> {
  switch (kind) {
    case 'get':
    case 'kept':
    case 'large':
    case 'abort':
    case 'upload':
    case 'chunked upload':
    case 'slow reader':
    case 'slow writer':
    case 'control':
      story.end = await plain(door, kind, story, chance)
      break
    case 'events':
      story.end = eventsOf(await plain(door, kind, story, chance))
      break
    case 'websocket':
      story.end = await webSocket(door, story)
      break
    case 'http/1.0':
      ;[story.end = null] = await raw(
        door,
        [story],
        head(story, 'HTTP/1.0', chance.pick(['sized', 'streamed'])),
      )
      break
    case 'pipelined': {
      if (!second) throw new Error('a pair has two')
      const text =
        head(story, 'HTTP/1.1', 'sized') + head(second, 'HTTP/1.1', 'sized', 'Connection: close\r\n')
      ;[story.end = null, second.end = null] = await raw(door, [story, second], text)
    }
  }
}

function head(story: Story, version: string, kind: string, more = ''): string {
  return `GET /${story.number} ${version}\r\nHost: ${story.subdomain}.localhost\r\nX-Nonce: ${story.nonce}\r\nX-Size: ${story.size}\r\nX-Delay: ${story.delayMs}\r\nX-Kind: ${kind}\r\nAccept: application/json\r\n${more}\r\n`
}

function plain(door: Door, kind: Kind, story: Story, chance: Chance): Promise<End> {
  const uploads = kind === 'upload' || kind === 'chunked upload' || kind === 'slow writer'
  const body = uploads ? `${story.nonce}\n`.repeat(Math.ceil(story.size / (story.nonce.length + 1))) : ''
  story.digest = digestOf(body)
  return new Promise(resolve => {
    let headSeen = false
    let carrier: Socket | null = null
    const closed = (error: Error) => {
      const { reusedSocket } = outgoing
      // Its end may have come while it was idle, before this client could notice.
      if (reusedSocket && !headSeen && carrier) story.beganAt = usedAt.get(carrier) ?? story.beganAt
      resolve({
        how: 'closed',
        headSeen,
        reused: reusedSocket,
        error: error.message,
        messages: [text],
      })
    }
    let text = ''
    const outgoing = request({
      host: '127.0.0.1',
      port: door.port,
      path: kind === 'control' ? '/' : `/${story.number}`,
      method: uploads ? 'POST' : 'GET',
      agent: kind === 'kept' ? door.agent : false,
      headers: {
        host: `${story.subdomain}.localhost`,
        accept: 'application/json',
        ...(kind !== 'kept' && { connection: 'close' }),
        'x-nonce': story.nonce,
        'x-size': story.size,
        'x-delay': story.delayMs,
        'x-kind': kind,
        ...(kind === 'upload' && { 'content-length': body.length }),
      },
    })
    story.destroy = () => {
      story.aborted = true
      outgoing.destroy()
    }
    outgoing.on('socket', socket => {
      carrier = socket
    })
    outgoing.on('error', closed)
    outgoing.on('response', answer => {
      headSeen = true
      answer.setEncoding('latin1')
      answer.on('data', chunk => {
        text += chunk
        if (kind === 'abort' && text.length > story.size / 2) story.destroy()
      })
      answer.on('error', closed)
      answer.on('end', () => {
        if (carrier) usedAt.set(carrier, performance.now())
        // Node drops the rest of an answer whose request was destroyed, and ends it as if it were whole.
        if (story.aborted) closed(new Error('aborted'))
        else resolve(wholeAnswer(answer, text))
      })
      answer.on('close', () => closed(new Error('the answer was not whole')))
      if (kind === 'slow reader') readSlowly(answer)
    })
    if (kind === 'abort' && chance.below(2) === 0) setTimeout(story.destroy, chance.below(30))
    if (kind === 'upload') outgoing.end(body)
    else if (uploads) void writePieces(outgoing, body, kind === 'slow writer' ? 15 : 0)
    else outgoing.end()
  })
}

function wholeAnswer(answer: IncomingMessage, body: string): End {
  if (!answer.complete) return { how: 'closed', headSeen: true, error: 'incomplete', messages: [body] }
  return { how: 'answer', status: answer.statusCode ?? 0, type: answer.headers['content-type'] ?? '', body }
}

function readSlowly(answer: IncomingMessage): void {
  answer.on('data', () => {
    answer.pause()
    setTimeout(() => answer.resume(), 5)
  })
}

async function writePieces(
  outgoing: ReturnType<typeof request>,
  body: string,
  everyMs: number,
): Promise<void> {
  const pieces = 12
  const size = Math.ceil(body.length / pieces)
  for (let i = 0; i < pieces && !outgoing.destroyed; i++) {
    outgoing.write(body.slice(i * size, (i + 1) * size))
    await pause(everyMs)
  }
  outgoing.end()
}

/** The events of a stream; the reason is the comment with which the edge ended it. */
function eventsOf(end: End): End {
  if (end.how === 'closed') return end
  if (end.how !== 'answer' || end.type !== 'text/event-stream') return end
  const parts = end.body.split('\n\n')
  const messages = parts.filter(each => each.startsWith('data: ')).map(each => each.slice(6))
  const comment = parts.find(each => each.startsWith(': '))
  return { how: 'stream', messages, reason: comment?.slice(2) ?? (parts.at(-1) === '' ? null : 'half') }
}

/** Sends text on a connection of its own, and takes as many answers as there are stories. */
function raw(door: Door, stories: readonly Story[], text: string): Promise<End[]> {
  return new Promise(resolve => {
    const socket = connect(door.port, '127.0.0.1')
    let bytes = ''
    let error = 'the connection was closed'
    for (const story of stories) {
      story.destroy = () => {
        for (const each of stories) each.aborted = true
        socket.destroy()
      }
    }
    socket.setEncoding('latin1')
    socket.on('error', each => (error = each.message))
    socket.on('data', chunk => (bytes += chunk))
    socket.on('close', () => resolve(answersIn(bytes, stories.length, error)))
    socket.on('end', () => socket.end())
    socket.write(text)
  })
}

function answersIn(bytes: string, count: number, error: string): End[] {
  const ends: End[] = []
  let rest = bytes
  let last = false
  while (ends.length < count) {
    if (last && rest === '') {
      ends.push({ how: 'not taken' })
      continue
    }
    const end = rest.indexOf('\r\n\r\n')
    if (end < 0) {
      ends.push({ how: 'closed', headSeen: false, error, messages: [rest] })
      rest = ''
      continue
    }
    const lines = rest.slice(0, end).split('\r\n')
    const field = (name: string) =>
      lines.find(line => line.toLowerCase().startsWith(`${name}: `))?.slice(name.length + 2)
    rest = rest.slice(end + 4)
    const length = field('content-length')
    const size = length === undefined ? rest.length : Number(length)
    last = length === undefined || field('connection') === 'close'
    if (field('transfer-encoding')) throw new Error(`chunks for a client that does not know them: ${lines}`)
    if (rest.length < size) ends.push({ how: 'closed', headSeen: true, error, messages: [rest] })
    else {
      const status = Number(lines[0]?.split(' ')[1])
      ends.push({ how: 'answer', status, type: field('content-type') ?? '', body: rest.slice(0, size) })
    }
    rest = rest.slice(size)
  }
  if (rest !== '') throw new Error(`more than was asked for: ${rest.slice(0, 500)}`)
  return ends
}

/** Sends as many messages as the story's size says, each after the answer to the one before it, and closes. */
function webSocket(door: Door, story: Story): Promise<End> {
  return new Promise(resolve => {
    const socket = connect(door.port, '127.0.0.1')
    story.destroy = () => {
      story.aborted = true
      socket.destroy()
    }
    let bytes = Buffer.alloc(0) as Buffer
    let joined = false
    let refused = false
    let error = 'the connection was closed'
    let closing: string | null | undefined
    const messages: string[] = []
    const say = () => {
      if (messages.length < story.size) socket.write(textFrame(String(messages.length), true))
      else socket.write(Buffer.from([0x88, 0x80, 0, 0, 0, 0]))
    }
    socket.on('error', each => (error = each.message))
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk])
      if (!joined && !refused) {
        const end = bytes.indexOf('\r\n\r\n')
        if (end < 0) return
        joined = bytes.toString('latin1', 0, 12) === 'HTTP/1.1 101'
        refused = !joined
        if (refused) return
        bytes = bytes.subarray(end + 4)
        say()
      }
      if (!joined) return
      const { frames, rest } = framesIn(bytes)
      bytes = rest
      for (const { opcode, payload } of frames) {
        if (opcode === 8) {
          closing = payload.length > 2 ? `${payload.readUInt16BE(0)} ${payload.subarray(2)}` : null
          continue
        }
        messages.push(payload.toString())
        say()
      }
    })
    socket.on('end', () => socket.end())
    socket.on('close', () => {
      if (refused) resolve(answersIn(bytes.toString('latin1'), 1, error)[0] as End)
      else if (closing === undefined) resolve({ how: 'closed', headSeen: joined, error, messages })
      else resolve({ how: 'stream', messages, reason: closing })
    })
    socket.write(
      `GET /${story.number} HTTP/1.1\r\nHost: ${story.subdomain}.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nX-Nonce: ${story.nonce}\r\nAccept: application/json\r\n\r\n`,
    )
  })
}
