import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { overloaded, tooLarge } from '../../../src/http/problem.ts'
import { within } from '../../web/within.ts'
import type { PacketReader } from '../packet-lines.ts'
import { tooMuch } from './refusals.ts'

/** How many times the size of the largest pack is read, so that a client that sends too much gets its answer. */
const readAnyway = 8

/**
 * Passes a body on. Fails with a Problem if it takes longer than `arrivalMs` from now, or if nothing arrives for
 * `idleMs` while it is waited for.
 */
export function inTime(
  body: AsyncIterable<Uint8Array>,
  { arrivalMs, idleMs }: { arrivalMs: number; idleMs: number },
): AsyncGenerator<Uint8Array> {
  return until(AbortSignal.timeout(arrivalMs), idleMs, body)
}

async function* until(
  signal: AbortSignal,
  idleMs: number,
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const source = body[Symbol.asyncIterator]()
  const cut = Promise.withResolvers<never>()
  cut.promise.catch(() => {})
  const abort = () => cut.reject(overloaded('The push took too long to arrive. Nothing was changed.'))
  signal.addEventListener('abort', abort, { once: true })
  try {
    for (;;) {
      const next = await within(idleMs, Promise.race([source.next(), cut.promise]))
      if (!next) throw overloaded('The push stopped arriving. Nothing was changed. Push again.')
      if (next.done) return
      yield next.value
    }
  } finally {
    signal.removeEventListener('abort', abort)
    // Not waited for: it ends only after the read in progress, which may never end.
    void source.return?.().catch(() => {})
  }
}

/**
 * Sends the rest of the body to a program, or nowhere once the program has answered, and reads it to its end. Returns
 * false if it is too large for a push. Throws `too-large` for one that is much too large.
 */
export async function feed(
  reader: PacketReader,
  { input, answered, packBytes }: { input: Writable | null; answered: Promise<unknown>; packBytes: number },
): Promise<boolean> {
  let [size, wanted] = [0, input !== null]
  void answered.then(() => {
    wanted = false
  })
  for await (const piece of reader.rest()) {
    size += piece.byteLength
    if (size > packBytes) wanted = false
    if (size > packBytes * readAnyway) throw tooLarge(tooMuch(packBytes).detail)
    if (wanted && !input?.write(piece)) {
      const drained = once(input as Writable, 'drain').catch(() => {})
      await Promise.race([drained, answered])
    }
  }
  if (size <= packBytes) input?.end()
  return size <= packBytes
}

/** Reads the rest of a body that is refused already: git looks at the answer only when it has sent all. */
export async function drop(reader: PacketReader, packBytes: number): Promise<void> {
  await feed(reader, { input: null, answered: Promise.resolve(), packBytes })
}
