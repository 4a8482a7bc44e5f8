import type { Readable } from 'node:stream'
import type { LogStream } from './log-line.ts'
import { barrierAt, barrierBeginning } from './output-barrier.ts'

/** Reads both outputs of a process in the order of writing, as far as its barriers say what that is. */
export interface OrderedReading {
  /** Passes on all that was read, in whatever order. */
  end(): void
}

interface Side {
  name: LogStream
  source: Readable
  /** The number of the last barrier that was read; infinite when nothing more comes. */
  reached: number
  /** Read, but not passed on yet. */
  rest: Buffer
}

const none = Buffer.alloc(0)

/** How long one side waits for the other. A process writes its barriers into both, unless it forges them. */
const patienceMs = 1000

/**
 * Passes on what a process writes, in the order of writing:
 *
 * 1. Pass on what stands before the next barrier, first of the side that the process writes to.
 * 2. A side that has come to a barrier waits until the other side comes to the same one. Meanwhile it is not read, so
 *    that its writer waits, and little is kept here.
 * 3. When a side waits too long, the barriers cannot be trusted: from then on, pass everything on as it comes.
 */
export function readInOrder(
  sources: Record<LogStream, Readable>,
  mark: string,
  onOutput: (stream: LogStream, bytes: Buffer) => void,
): OrderedReading {
  const beginning = Buffer.from(barrierBeginning(mark))
  const sides = (['out', 'err'] as const).map(
    (name): Side => ({ name, source: sources[name], reached: 0, rest: none }),
  )
  const [out, err] = sides as [Side, Side]
  /** The side that the process itself has written to since the last barrier. */
  let first = out
  /** False when the barriers cannot be trusted. */
  let ordered = true
  let ended = false
  let patience: NodeJS.Timeout | undefined

  const other = (side: Side) => (side === out ? err : out)
  const waits = (side: Side) => ordered && side.reached > other(side).reached
  /** Passes on what comes before the next barrier; false when there is nothing yet. */
  const step = (side: Side): boolean => {
    const { rest } = side
    if (rest.length === 0 || waits(side)) return false
    const over = ended || side.reached === Number.POSITIVE_INFINITY
    const at = rest.indexOf(beginning)
    if (at < 0) {
      const whole = over ? rest.length : rest.length - lengthOfPart(rest, beginning)
      return take(side, whole, whole)
    }
    const found = barrierAt(rest, at + beginning.length)
    if (found === 'none' || (found === 'unfinished' && over))
      return take(side, at + beginning.length, at + beginning.length)
    if (found === 'unfinished') return take(side, at, at)
    take(side, at, found.to)
    const { number, next } = found.barrier
    if (number > side.reached) side.reached = number
    first = next === 1 ? out : err
    return true
  }
  const take = (side: Side, outputLength: number, taken: number): boolean => {
    const bytes = side.rest.subarray(0, outputLength)
    side.rest = side.rest.subarray(taken)
    if (outputLength > 0) onOutput(side.name, bytes)
    return taken > 0
  }
  const pump = () => {
    while (step(first) || step(other(first)));
    for (const side of sides) {
      if (waits(side)) side.source.pause()
      else if (side.source.isPaused()) side.source.resume()
    }
    const waiting = sides.some(waits)
    if (!waiting) {
      clearTimeout(patience)
      patience = undefined
    } else patience ??= setTimeout(() => setImmediate(giveUp), patienceMs).unref()
  }
  const giveUp = () => {
    patience = undefined
    if (!sides.some(waits)) return
    ordered = false
    pump()
  }
  for (const side of sides) {
    const over = () => {
      side.reached = Number.POSITIVE_INFINITY
      pump()
    }
    side.source
      .on('data', (chunk: Buffer) => {
        side.rest = side.rest.length === 0 ? chunk : Buffer.concat([side.rest, chunk])
        pump()
      })
      .once('end', over)
      .once('close', over)
  }
  return {
    end: () => {
      ended = true
      ordered = false
      pump()
    },
  }
}

/** How many bytes at the end may be the beginning of a barrier. Its first byte occurs in it only once. */
function lengthOfPart(bytes: Buffer, beginning: Buffer): number {
  const at = bytes.lastIndexOf(beginning[0] as number)
  const length = bytes.length - at
  if (at < 0 || length >= beginning.length) return 0
  return bytes.subarray(at).equals(beginning.subarray(0, length)) ? length : 0
}
