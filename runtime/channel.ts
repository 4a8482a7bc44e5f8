import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/**
 * One question and one answer between the runtime and a process that runs the customer's code: a line of JSON each
 * way, over a pipe. Not Node's own channel, on which a line that is no JSON ends the process that reads it.
 */
const channelFd = 3

export interface Channel {
  /** What the process said, if that was one line of JSON within the limit; null when it ended without a word. */
  answer: Promise<{ said: unknown } | { fault: string } | null>
  close(): void
}

/** The runtime's end. Nothing more is read once there is an answer. */
export function ask(pipe: Duplex, question: unknown, limitBytes: number): Channel {
  const { promise: answer, resolve } = Promise.withResolvers<Awaited<Channel['answer']>>()
  const chunks: Buffer[] = []
  let size = 0
  const settle = (with_: Awaited<Channel['answer']>) => {
    resolve(with_)
    chunks.length = 0
    pipe.off('data', take)
    pipe.pause()
  }
  const take = (chunk: Buffer) => {
    const end = chunk.indexOf(10)
    chunks.push(end < 0 ? chunk : chunk.subarray(0, end))
    size += chunk.length
    if (size > limitBytes) settle({ fault: `said more than ${Math.floor(limitBytes / 1024)} KiB` })
    else if (end >= 0) settle(parse(Buffer.concat(chunks).toString('utf8')))
  }
  pipe.on('data', take)
  // A process that is gone is heard of by its end.
  pipe.on('error', () => {})
  pipe.once('close', () => resolve(null))
  pipe.write(`${JSON.stringify(question)}\n`)
  return { answer, close: () => pipe.destroy() }
}

function parse(line: string): { said: unknown } | { fault: string } {
  try {
    return { said: JSON.parse(line) }
  } catch {
    return { fault: 'said something that is not JSON' }
  }
}

export interface ParentChannel<Question> {
  /** From the question on, the channel alone keeps nobody alive. */
  question: Promise<Question>
  /** Resolves when the answer is on its way. */
  answer(value: unknown): Promise<void>
}

/** The process's end. It does not outlive the runtime. */
export function channelToParent<Question>(): ParentChannel<Question> {
  const pipe = new Socket({ fd: channelFd })
  const { promise: question, resolve } = Promise.withResolvers<Question>()
  let text = ''
  pipe.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
    const end = text.indexOf('\n')
    if (end < 0) return
    pipe.removeAllListeners('data').resume().unref()
    resolve(JSON.parse(text.slice(0, end)) as Question)
  })
  const orphaned = () => process.kill(process.pid, 'SIGKILL')
  pipe.on('error', orphaned).once('close', orphaned)
  return {
    question,
    answer: value => new Promise(done => pipe.write(`${JSON.stringify(value)}\n`, () => done())),
  }
}
