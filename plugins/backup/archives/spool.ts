import { mkdirSync, statfsSync, unlinkSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { Duplex, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { serial } from '../../../src/concurrency.ts'

const mib = 1024 ** 2
/** What archives leave free on the disk: a tenth, and this at most. The records of the control plane are on the same one. */
const reserveMost = 1024 * mib
const lookEveryBytes = 16 * mib
const pieceBytes = 256 * 1024

/**
 * The place on the disk for archives on their way from and to clients. A client may take hours: meanwhile it holds up neither the
 * store nor a volume. The files have no name, so a program that is killed leaves none behind.
 */
export class Spool {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /**
   * Receives what a client sends, to its end. Throws what `input` fails with, and an error with the code `ENOSPC` when the disk
   * would have less than the reserve left; nothing is kept then.
   */
  async receive(input: Readable, signal: AbortSignal): Promise<Received> {
    const file = await this.#open().catch(error => {
      input.destroy()
      throw error
    })
    const hasRoom = this.#room()
    let bytes = 0
    try {
      await pipeline(
        input,
        async (source: AsyncIterable<Buffer>) => {
          for await (const piece of source) {
            if (!hasRoom(piece.length)) throw noSpaceLeft()
            await file.write(piece, bytes)
            bytes += piece.length
          }
        },
        { signal },
      )
    } catch (error) {
      await file.close()
      throw error
    }
    return { read: () => Readable.from(file.pieces()), close: () => file.close() }
  }

  /**
   * A stream that takes what is written to it at once, and gives it out as slowly as it is read. When the disk has no room, it takes
   * more only once all was read.
   */
  async between(): Promise<Duplex> {
    return new DiskBuffer(await this.#open(), this.#room())
  }

  async #open(): Promise<SpoolFile> {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    const path = join(this.#folder, crypto.randomUUID())
    const file = await open(path, 'wx+', 0o600)
    unlinkSync(path)
    return new SpoolFile(file)
  }

  /** Returns whether so many bytes more can be written. */
  #room(): (bytes: number) => boolean {
    let left = 0
    return bytes => {
      left -= bytes
      if (left >= 0) return true
      const { bavail, blocks, bsize } = statfsSync(this.#folder)
      const free = bavail * bsize - Math.min(reserveMost, (blocks * bsize) / 10)
      left = Math.min(lookEveryBytes, free) - bytes
      return left >= 0
    }
  }
}

/**
 * A file that is read, written and closed in turn: one that were closed during a write could have the number of another file by
 * then.
 */
class SpoolFile {
  readonly #file: FileHandle
  readonly #inTurn = serial()
  #isClosed = false

  constructor(file: FileHandle) {
    this.#file = file
  }

  async write(piece: Buffer, at: number): Promise<void> {
    await this.#do(async () => {
      for (let done = 0; done < piece.length; )
        done += (await this.#file.write(piece, done, piece.length - done, at + done)).bytesWritten
    })
  }

  /** Reads so many bytes at most; none at the end of the file. */
  async read(length: number, at: number): Promise<Buffer> {
    return await this.#do(async () => {
      const { bytesRead, buffer } = await this.#file.read(Buffer.alloc(length), 0, length, at)
      return buffer.subarray(0, bytesRead)
    })
  }

  async *pieces(): AsyncGenerator<Buffer> {
    for (let at = 0; ; ) {
      const piece = await this.read(pieceBytes, at)
      if (piece.length === 0) return
      at += piece.length
      yield piece
    }
  }

  async empty(): Promise<void> {
    await this.#do(() => this.#file.truncate(0))
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#inTurn(() => this.#file.close())
  }

  async #do<T>(work: () => Promise<T>): Promise<T> {
    return await this.#inTurn(async () => {
      if (this.#isClosed) throw new Error('the archive was given up')
      return await work()
    })
  }
}

/** An archive that has arrived whole. */
export interface Received {
  /** All of it, from its beginning; may be called again. */
  read(): Readable
  /** Frees its space. */
  close(): Promise<void>
}

class DiskBuffer extends Duplex {
  readonly #file: SpoolFile
  readonly #hasRoom: (bytes: number) => boolean
  #readTo = 0
  #writtenTo = 0
  #isComplete = false
  #isReading = false
  /** Called when something was written, or everything was read. */
  #changed: (() => void) | null = null

  constructor(file: SpoolFile, hasRoom: (bytes: number) => boolean) {
    super({ readableHighWaterMark: pieceBytes })
    this.#file = file
    this.#hasRoom = hasRoom
  }

  override _write(piece: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#take(piece).then(() => done(), done)
  }

  override _final(done: () => void): void {
    this.#isComplete = true
    this.#wake()
    done()
  }

  override _read(): void {
    if (this.#isReading) return
    this.#isReading = true
    this.#give().catch(error => this.destroy(error))
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#wake()
    this.#file.close().then(
      () => done(error),
      () => done(error),
    )
  }

  async #take(piece: Buffer): Promise<void> {
    if (!this.#hasRoom(piece.length)) {
      while (this.#readTo < this.#writtenTo && !this.destroyed) await this.#change()
      if (this.destroyed) return
      await this.#file.empty()
      this.#readTo = this.#writtenTo = 0
    }
    await this.#file.write(piece, this.#writtenTo)
    this.#writtenTo += piece.length
    this.#wake()
  }

  async #give(): Promise<void> {
    for (;;) {
      while (this.#readTo === this.#writtenTo && !this.#isComplete && !this.destroyed) await this.#change()
      if (this.destroyed) return
      const length = Math.min(pieceBytes, this.#writtenTo - this.#readTo)
      if (length === 0) {
        this.push(null)
        return
      }
      const piece = await this.#file.read(length, this.#readTo)
      this.#readTo += piece.length
      if (this.#readTo === this.#writtenTo) this.#wake()
      if (!this.push(piece)) {
        // At once: the next call may come before this promise is settled.
        this.#isReading = false
        return
      }
    }
  }

  async #change(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const other = this.#changed
    this.#changed = () => {
      other?.()
      resolve()
    }
    await promise
  }

  #wake(): void {
    const changed = this.#changed
    this.#changed = null
    changed?.()
  }
}

function noSpaceLeft(): Error {
  return Object.assign(new Error('no space left on the disk of the control plane for the archive'), {
    code: 'ENOSPC',
  })
}
