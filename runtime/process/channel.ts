import type { Duplex } from 'node:stream'
import { isTooDeepJson } from '../../src/json-depth.ts'

/**
 * One question and one answer between the runtime and a process that runs the customer's code: a line of JSON each
 * way, over a pipe. Before its answer the process may make calls, one at a time: `{"call": …}`, answered by
 * `{"reply": …}`. Node's own channel is not used, because a line that is not JSON ends the process that reads it.
 * The process's end is in `parent-channel.ts`.
 */

export interface Channel {
  /** The process's answer, if it is one line of JSON within the limit; null if the process ended without one. */
  answer: Promise<{ said: unknown } | { fault: string } | null>
  close(): void
}

/** The runtime's end. Reads nothing after the answer. `reply` answers the process's calls, if it may make any. */
export function ask(
  pipe: Duplex,
  question: unknown,
  limitBytes: number,
  reply?: (call: unknown) => Promise<unknown>,
): Channel {
  const { promise: answer, resolve } = Promise.withResolvers<Awaited<Channel['answer']>>()
  const chunks: Buffer[] = []
  let size = 0
  const finish = (answered: Awaited<Channel['answer']>) => {
    resolve(answered)
    chunks.length = 0
    pipe.off('data', take)
    pipe.pause()
  }
  const take = (chunk: Buffer) => {
    const end = chunk.indexOf(10)
    const line = end < 0 ? chunk : chunk.subarray(0, end)
    chunks.push(line)
    size += line.length
    if (size > limitBytes) return finish({ fault: `said more than ${Math.floor(limitBytes / 1024)} KiB` })
    if (end < 0) return
    const said = parse(Buffer.concat(chunks).toString('utf8'))
    const call = reply && callIn(said)
    if (!reply || !call) return finish(said)
    chunks.length = 0
    size = 0
    // A caller that sends the next call before it has read its reply waits: nothing is queued here.
    pipe.pause()
    if (end + 1 < chunk.length) pipe.unshift(chunk.subarray(end + 1))
    void reply(call.call).then(value => {
      if (!pipe.destroyed) pipe.write(`${JSON.stringify({ reply: value })}\n`, () => pipe.resume())
    })
  }
  pipe.on('data', take)
  // The close event reports a process that is gone.
  pipe.on('error', () => {})
  pipe.once('close', () => resolve(null))
  pipe.write(`${JSON.stringify(question)}\n`)
  return { answer, close: () => pipe.destroy() }
}

function parse(line: string): { said: unknown } | { fault: string } {
  if (isTooDeepJson(line)) return { fault: 'said something that is nested too deep' }
  try {
    return { said: JSON.parse(line) }
  } catch {
    return { fault: 'said something that is not JSON' }
  }
}

function callIn(said: { said: unknown } | { fault: string }): { call: unknown } | null {
  const value = 'said' in said ? said.said : null
  return typeof value === 'object' && value !== null && 'call' in value ? value : null
}
