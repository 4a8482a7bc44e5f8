import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { StringDecoder } from 'node:string_decoder'

/** The log of a run that is going. */
export interface RunLog {
  write(chunk: Buffer): void
  /** What was written so far, with a marker where the middle was left out. */
  text(): string
  /** Calls back with each new piece, and with null at the end; returns what stops it. */
  follow(onText: (text: string | null) => void): () => void
  /** Puts the last part on disk and closes the file. */
  end(): void
}

/** How much of a log's beginning and of its end is kept. */
const headBytes = 512 * 1024
const tailBytes = 512 * 1024

export function logFile(runsDir: string, runId: string): string {
  return join(runsDir, `${runId}.log`)
}

/** A finished run's log; '' when it wrote nothing. */
export function readLog(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

export async function removeLog(file: string): Promise<void> {
  await rm(file, { force: true })
}

/** The file comes with the first byte: most runs of most jobs print nothing. */
export function createRunLog(file: string): RunLog {
  const decoder = new StringDecoder('utf8')
  const followers = new Set<(text: string | null) => void>()
  let fd: number | null = null
  let headLength = 0
  let tail: Buffer[] = []
  let tailLength = 0
  let leftOut = 0

  const writeFile = (chunk: Buffer) => {
    fd ??= openSync(file, 'a', 0o600)
    writeSync(fd, chunk)
  }
  const keepTail = (chunk: Buffer) => {
    tail.push(chunk)
    tailLength += chunk.length
    while (tailLength > tailBytes) {
      const first = tail[0] as Buffer
      const surplus = Math.min(first.length, tailLength - tailBytes)
      if (surplus === first.length) tail.shift()
      else tail[0] = first.subarray(surplus)
      tailLength -= surplus
      leftOut += surplus
    }
  }
  const end = () => (leftOut === 0 ? '' : `\n[longhouse] … ${leftOut} bytes left out here …\n`)

  return {
    write: chunk => {
      const head = chunk.subarray(0, headBytes - headLength)
      if (head.length > 0) {
        writeFile(head)
        headLength += head.length
      }
      if (head.length < chunk.length) keepTail(chunk.subarray(head.length))
      const text = decoder.write(chunk)
      if (text !== '') for (const follower of followers) follower(text)
    },
    text: () => readLog(file) + end() + Buffer.concat(tail).toString('utf8'),
    follow: onText => {
      followers.add(onText)
      return () => followers.delete(onText)
    },
    end: () => {
      if (tail.length > 0) {
        if (leftOut > 0) writeFile(Buffer.from(end()))
        writeFile(Buffer.concat(tail))
        tail = []
        leftOut = 0
      }
      if (fd !== null) closeSync(fd)
      for (const follower of followers) follower(null)
      followers.clear()
    },
  }
}
