import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { StringDecoder } from 'node:string_decoder'

/** The log of a run that is going. */
export interface RunLog {
  write(chunk: Buffer): void
  /** What was written so far, with a marker where the middle was left out. */
  text(): string
  /** Calls back with each new piece, and with null at the end; returns what stops it. */
  follow(onText: (text: string | null) => void): () => void
  /**
   * Puts the last part on disk and closes the file. False when the disk takes nothing at the moment: then all of it is
   * still at hand, and it may be tried again.
   */
  end(): boolean
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

/**
 * The file comes with the first byte: most runs of most jobs print nothing. What the disk refuses is held in memory,
 * 1 MiB at most, and goes there with the next piece that it takes: a full disk ends no run and no runtime.
 */
export function createRunLog(file: string): RunLog {
  const decoder = new StringDecoder('utf8')
  const followers = new Set<(text: string | null) => void>()
  let fd: number | null = null
  let headLength = 0
  /** What belongs into the file and is not there yet. */
  const unwritten: Buffer[] = []
  let tail: Buffer[] = []
  let tailLength = 0
  let leftOut = 0

  /** The open file; a new one when somebody removed it. */
  const opened = (): number => {
    if (fd !== null && fstatSync(fd).nlink === 0) {
      close()
      unwritten.unshift(Buffer.from(removed))
    }
    if (fd !== null) return fd
    mkdirSync(dirname(file), { recursive: true })
    fd = openSync(file, 'a', 0o600)
    return fd
  }
  const close = () => {
    if (fd !== null) closeSync(fd)
    fd = null
  }
  const save = (): boolean => {
    try {
      while (unwritten.length > 0) {
        const target = opened()
        const next = unwritten[0] as Buffer
        const written = writeSync(target, next)
        if (written < next.length) unwritten[0] = next.subarray(written)
        else unwritten.shift()
      }
      return true
    } catch {
      return false
    }
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
  const end = () => (leftOut === 0 ? [] : [Buffer.from(`\n[longhouse] … ${leftOut} bytes left out here …\n`)])

  return {
    write: chunk => {
      const head = chunk.subarray(0, headBytes - headLength)
      if (head.length > 0) {
        headLength += head.length
        unwritten.push(head)
        save()
      }
      if (head.length < chunk.length) keepTail(chunk.subarray(head.length))
      const text = decoder.write(chunk)
      if (text !== '') for (const follower of followers) follower(text)
    },
    text: () => readLog(file) + Buffer.concat([...unwritten, ...end(), ...tail]).toString('utf8'),
    follow: onText => {
      followers.add(onText)
      return () => followers.delete(onText)
    },
    end: () => {
      unwritten.push(...end(), ...tail)
      tail = []
      leftOut = 0
      const saved = save()
      close()
      for (const follower of followers) follower(null)
      followers.clear()
      return saved
    },
  }
}

const removed =
  '[longhouse] the beginning of this log is gone: its file was removed while the run was going\n'
