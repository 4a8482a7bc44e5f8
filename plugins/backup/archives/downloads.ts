import { type Duplex, PassThrough, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { InstanceSummary, ProvisionerService } from '../../provisioner/contract.ts'
import type { CopyMaker } from '../copies/making.ts'
import { noBackups, tooManyDownloads } from '../problems.ts'
import type { Spool } from './spool.ts'

/** An archive is written while the instance's other copies wait. How slowly it is fetched does not count. */
const packWithinMs = 30 * 60_000
const fetchWithinMs = 4 * 3_600_000
/** Archives of one instance that are fetched at the same time: each takes space on the disk. */
const atOnce = 2

/** Archives of instances that clients are fetching. */
export class Downloads {
  readonly #provisioner: ProvisionerService
  readonly #maker: CopyMaker
  readonly #spool: Spool
  /** How many of each instance are being fetched. */
  readonly #going = new Map<string, number>()

  constructor(parts: { provisioner: ProvisionerService; maker: CopyMaker; spool: Spool }) {
    this.#provisioner = parts.provisioner
    this.#maker = parts.maker
    this.#spool = parts.spool
  }

  /**
   * Returns the archive of an instance, gzip'd, as it is written. One that breaks off is a gzip file without its end. Throws
   * `no-backups` when the volume is not the instance's own, and `too-many-downloads`.
   */
  async open(instance: InstanceSummary): Promise<Readable> {
    const { id, subdomain, volume } = instance
    await this.#maker.requireOwn(volume, id).catch((error: Error) => {
      throw notOwn(subdomain, error)
    })
    const leave = this.#enter(instance)
    const body = await this.#spool.between().catch(error => {
      leave()
      throw error
    })
    body.once('close', leave)
    this.#pack(instance, body)
    return body
  }

  /** Takes a place among the downloads of an instance. Returns a function that gives it back. */
  #enter({ id, subdomain }: InstanceSummary): () => void {
    const going = this.#going.get(id) ?? 0
    if (going >= atOnce)
      throw tooManyDownloads(
        `${going} archives of "${subdomain}" are being downloaded. Nothing was changed. Try again when one is complete.`,
      )
    this.#going.set(id, going + 1)
    return () => {
      const left = (this.#going.get(id) ?? 1) - 1
      if (left === 0) this.#going.delete(id)
      else this.#going.set(id, left)
    }
  }

  /** Writes the archive into `body`, until that is closed. */
  #pack({ id, subdomain, volume }: InstanceSummary, body: Duplex): void {
    const output = new PassThrough()
    const over = new AbortController()
    const timer = setTimeout(
      () => body.destroy(new Error('it was fetched too slowly')),
      fetchWithinMs,
    ).unref()
    body.once('close', () => {
      over.abort()
      clearTimeout(timer)
    })
    // The body ends with the error.
    pipeline(output, createGzip({ level: 5 }), body).catch(() => {})
    const signal = AbortSignal.any([over.signal, AbortSignal.timeout(packWithinMs)])
    this.#provisioner
      .workOnFolder({ command: 'pack', folder: volume, options: { portable: true }, output, signal })
      .then(
        report => {
          // Another folder may stand there only since the look.
          const packed = (report as { instanceId?: string | null }).instanceId ?? id
          if (packed === id) output.end()
          else output.destroy(notOwn(subdomain))
        },
        (error: Error) => output.destroy(error),
      )
  }
}

function notOwn(subdomain: string, cause?: Error): Error {
  return noBackups(`The data of "${subdomain}" are not in their place. The operator can put them back.`, {
    cause,
  })
}
