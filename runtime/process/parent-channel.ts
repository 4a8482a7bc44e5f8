import fs from 'node:fs'
import type { Socket } from 'node:net'

/** The process's end of a channel (`channel.ts`): which file it is. */
const channelFd = 3

export interface ParentChannel<Question> {
  /** Once the question has arrived, the channel alone does not keep the process alive. */
  question: Promise<Question>
  /** After the answer, the process waits to be ended. */
  answer(value: unknown): void
}

/** For a process that works while it waits for its question. The process does not outlive the runtime. */
export function channelToParent<Question>(): ParentChannel<Question> {
  const { promise: question, resolve } = Promise.withResolvers<Question>()
  const pipe = openPipe(line => {
    resolve(JSON.parse(line) as Question)
    pipe.unref()
  })
  return { question, answer: value => void pipe.ref().write(lineOf(value)) }
}

export interface WaitingChannel<Question> {
  /** Blocks until the question has arrived. After that, the channel alone does not keep the process alive. */
  waitForQuestion(): Question
  /** Makes a call to the runtime; keeps the process alive until the reply. */
  call(value: unknown): Promise<unknown>
  /** After the answer, the process waits to be ended. */
  answer(value: unknown): void
}

/**
 * For a process that has nothing to do until it is asked, such as a runner. It opens no stream unless it has to, because
 * loading streams and sockets takes longer than a small job. The process does not outlive the runtime: `endsWith` is the
 * runtime's process id if the system ends this process with it; otherwise it is null, and the pipe is watched.
 */
export function waitingChannelToParent<Question>(endsWith: number | null): WaitingChannel<Question> {
  // A job may replace these, to test with a clock or files of its own.
  const { readSync, writeSync } = fs
  const { setInterval } = globalThis
  const waiting: ((reply: unknown) => void)[] = []
  let answered = false
  let pipe: Socket | null = null
  const open = () => {
    pipe ??= openPipe(line => {
      waiting.shift()?.((JSON.parse(line) as { reply: unknown }).reply)
      if (waiting.length === 0 && !answered) pipe?.unref()
    })
    return pipe
  }
  /** Calls again until the other end is ready: what shares this pipe may have made it non-blocking. */
  const whenReady = (transfer: () => number): number => {
    for (;;) {
      try {
        return transfer()
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return orphaned()
        wait(pause, 0, 0, 1)
      }
    }
  }
  return {
    waitForQuestion: () => {
      const buffer = Buffer.allocUnsafe(64 * 1024)
      const chunks: Buffer[] = []
      for (let end = -1; end < 0; ) {
        const chunk = buffer.subarray(
          0,
          whenReady(() => readSync(channelFd, buffer)),
        )
        if (chunk.length === 0) orphaned()
        end = chunk.indexOf(10)
        chunks.push(Buffer.from(end < 0 ? chunk : chunk.subarray(0, end)))
      }
      if (endsWith === null) open().unref()
      // The runtime may have ended before the system knew that this process is to end with it.
      else if (process.ppid !== endsWith) orphaned()
      return JSON.parse(Buffer.concat(chunks).toString('utf8')) as Question
    },
    call: value =>
      new Promise(resolve => {
        waiting.push(resolve)
        open()
          .ref()
          .write(lineOf({ call: value }))
      }),
    answer: value => {
      answered = true
      const line = lineOf(value)
      if (pipe) return void pipe.ref().write(line)
      const bytes = Buffer.from(line)
      for (let at = 0; at < bytes.length; ) at += whenReady(() => writeSync(channelFd, bytes, at))
      setInterval(() => {}, foreverMs)
    },
  }
}

const foreverMs = 2 ** 31 - 1
const pause = new Int32Array(new SharedArrayBuffer(4))

function lineOf(value: unknown): string {
  return `${JSON.stringify(value)}\n`
}

/** Calls back with each line that the runtime sends. The process ends when the pipe does. */
function openPipe(take: (line: string) => void): Socket {
  const { Socket } = getBuiltinModule('node:net')
  const pipe = new Socket({ fd: channelFd })
  let text = ''
  pipe.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const line = text.slice(0, end)
      text = text.slice(end + 1)
      take(line)
    }
  })
  pipe.on('error', orphaned).once('close', orphaned)
  return pipe
}

// A job may replace these, too.
const { getBuiltinModule } = process
const kill = process.kill.bind(process)
const { wait } = Atomics

function orphaned(): never {
  kill(process.pid, 'SIGKILL')
  // The signal is on its way.
  for (;;) wait(pause, 0, 0)
}
